package doctor

import (
	"slices"
	"strings"
	"unicode"
)

// wordsOf splits the name of a function, without its package and type, at
// underscores and capital letters: "stop" and "procedure" of "stopProcedure".
func wordsOf(symbol string) (words []string) {
	name := declared(symbol)
	name = name[strings.LastIndexByte(name, '.')+1:]
	from := 0
	for i := 1; i <= len(name); i++ {
		if i == len(name) || name[i] == '_' || unicode.IsUpper(rune(name[i])) &&
			!unicode.IsUpper(rune(name[i-1])) {
			words = append(words, strings.ToLower(strings.Trim(name[from:i], "_")))
			from = i
		}
	}
	return words
}

// hasWord reports whether a word of the name of a function is among words.
func hasWord(symbol string, words map[string]bool) bool {
	return slices.ContainsFunc(wordsOf(symbol), func(w string) bool {
		return words[w]
	})
}

// isLoop reports whether a function's name says that its goroutine lives in it.
func isLoop(symbol string) bool {
	name := strings.ToLower(symbol[strings.LastIndexByte(symbol, '.')+1:])
	for _, word := range []string{"loop", "serve", "run", "worker", "listen",
		"accept", "main"} {
		if strings.Contains(name, word) {
			return true
		}
	}
	return false
}

// isPool reports whether a name is of goroutines that are many by design.
func isPool(symbol string) bool {
	return isLoop(symbol) || namesWorker(symbol)
}

// namesWorker reports whether a symbol has the word for a worker or a pool in it.
func namesWorker(symbol string) bool {
	name := strings.ToLower(symbol)
	return strings.Contains(name, "worker") || strings.Contains(name, "pool")
}

// Words of functions that wait:
var (
	// for a resource that another caller gives back;
	acquiring = set([]string{"acquire", "borrow", "checkout"})

	// for one message, unlike the loop that serves a connection;
	expecting = set([]string{"wait", "await", "expect"})

	// for their turn;
	limiting = set([]string{"lock", "mutex", "acquire", "semaphore", "sem", "token",
		"tokens", "slot", "slots", "permit", "limiter"})

	// for something to end. The word is the whole name.
	ending = set([]string{"close", "stop", "shutdown", "wait", "disconnect", "drain",
		"flush"})
)

// limits reports whether a function's name, or its type's, says that callers
// wait there for their turn: a channel of one value is a lock, one of several a
// semaphore.
func limits(symbol string) bool {
	name := declared(symbol)
	return hasWord(name, limiting) || hasWord(typeOf(name), limiting)
}
