package doctor

import (
	"path"
	"strings"
)

// A symbol is the linker's name of a function: the import path, a dot, and
// what follows it in the package, as in
//
//	example.com/log4go.NewFileLogTraceWriter.func1
//	example.com/log4go.(*FileLogTraceWriter).LogWrite
//	main.run[go.shape.int].func2.1

// packageOf returns the import path in a symbol.
func packageOf(symbol string) string {
	path, _, _ := strings.Cut(symbol, "[") // of the package; then types
	slash := strings.LastIndexByte(path, '/') + 1
	name, _, _ := strings.Cut(symbol[slash:], ".")
	return symbol[:slash+len(name)]
}

// short returns the symbol without the directories of its import path, which
// is how the author of the code would say it.
func short(symbol string) string {
	pkg := packageOf(symbol)
	name := symbol[strings.LastIndexByte(pkg, '/')+1:]
	return strings.ReplaceAll(name, "%2e", ".")
}

// inPackage returns the symbol without its package.
func inPackage(symbol string) string {
	return strings.TrimPrefix(symbol[len(packageOf(symbol)):], ".")
}

// typeOf returns the receiver's type in the symbol of a method, without
// pointer, brackets and package, or "".
func typeOf(symbol string) string {
	name := inPackage(symbol)
	if strings.HasPrefix(name, "(*") {
		name, _, _ = strings.Cut(name[2:], ")")
		name, _, _ = strings.Cut(name, "[")
		return name
	}
	first, rest, ok := strings.Cut(name, ".")
	if !ok || isClosure(rest) || strings.Contains(first, "[") {
		return ""
	}
	return first
}

// isClosure reports whether name, what follows the dot after a function, is
// the compiler's numbering: func1, func2.1, gowrap1, deferwrap2, 1.
func isClosure(name string) bool {
	for _, prefix := range []string{"func", "gowrap", "deferwrap", "init."} {
		if rest, ok := strings.CutPrefix(name, prefix); ok &&
			rest != "" && '0' <= rest[0] && rest[0] <= '9' {
			return true
		}
	}
	return name != "" && '0' <= name[0] && name[0] <= '9'
}

// declared returns the symbol of the declared function that a closure stands
// in, or the symbol itself: NewWriter.func2.1 is in NewWriter.
func declared(symbol string) string {
	pkg := packageOf(symbol)
	name := symbol[len(pkg):]
	for i := 1; i < len(name); i++ {
		if name[i] == '.' && isClosure(name[i+1:]) {
			return pkg + name[:i]
		}
	}
	return symbol
}

// closure returns the number of an outermost closure, 2 for NewWriter.func2,
// or 0.
func closure(symbol string) int {
	rest := strings.TrimPrefix(symbol, declared(symbol))
	rest, ok := strings.CutPrefix(rest, ".func")
	if !ok {
		return 0
	}
	n := 0
	for _, c := range rest {
		if c < '0' || c > '9' || n > 1<<20 {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	return n
}

// builds reports whether function looks like what makes values of the type:
// a function whose name begins with New, Open and so on and, if it names any
// type, names this one, or a method of the type that starts or runs it.
func builds(function, pkg, typ string) bool {
	if typ == "" || packageOf(function) != pkg {
		return false
	}
	function = declared(function)
	if owner := typeOf(function); owner != "" {
		return owner == typ
	}
	name := strings.ToLower(inPackage(function))
	for _, verb := range []string{
		"new", "open", "make", "start", "create", "dial", "init", "must", "run",
	} {
		if rest, ok := strings.CutPrefix(name, verb); ok {
			if rest == "" { // a bare run or init is the whole program's
				return verb != "run" && verb != "start" && verb != "init"
			}
			typ := strings.ToLower(typ)
			return strings.Contains(typ, rest) || strings.Contains(rest, typ)
		}
	}
	return false
}

// std has the first elements of the standard library's import paths. A path
// without a dot in it may as well be the user's: GOPATH had log4go.
var std = set(strings.Fields("archive arena bufio bytes cmp compress " +
	"container context crypto database debug embed encoding errors expvar " +
	"flag fmt go hash html image index internal io iter log maps math mime " +
	"net os path plugin reflect regexp runtime simd slices sort strconv " +
	"strings structs sync syscall testing text time unicode unique unsafe " +
	"vendor weak"))

// stdInternal has the second elements of its internal packages: projects have
// such a directory, too, and some tracebacks show it without the module.
var stdInternal = set(strings.Fields("abi asan bisect bytealg byteorder cfg " +
	"chacha8rand coverage cpu filepathlite fmtsort fuzz goarch godebug godebugs " +
	"goexperiment goos goroot intern itoa lazyregexp msan nettrace oserror poll " +
	"profile profilerecord race reflectlite runtime saferio singleflight " +
	"stringslite sync synctest syscall sysinfo testlog trace unsafeheader weak " +
	"xcoff zstd"))

func set(names []string) map[string]bool {
	m := make(map[string]bool, len(names))
	for _, name := range names {
		m[name] = true
	}
	return m
}

// plumbing is libraries that wait on behalf of their caller, as package sync
// does: the call that counts is the one below.
var plumbing = []string{
	"golang.org/x/sync/", "github.com/jackc/puddle", "github.com/jackc/pgx/v4/pgxpool",
	"github.com/jackc/pgx/v5/pgxpool", "github.com/sasha-s/go-deadlock",
	"github.com/sourcegraph/conc",
}

// unvendored returns the symbol as the package's own repository has it.
func unvendored(symbol string) string {
	if strings.Contains(symbol, "/vendor/") {
		path := packageOf(symbol)
		if i := strings.LastIndex(path, "/vendor/"); i >= 0 {
			return symbol[i+len("/vendor/"):]
		}
	}
	return symbol
}

// isLocker reports whether a function only locks: a method of a project's own
// mutex type, as in (*MutexWrap).Lock or (*mu).lock.
func isLocker(symbol string) bool {
	typ, ok := strings.CutSuffix(symbol, "ock")
	if !ok {
		return false
	}
	for _, method := range [...]string{").L", ").RL", ").l", ").rl"} {
		if before, ok := strings.CutSuffix(typ, method); ok {
			name := strings.ToLower(before[strings.LastIndexAny(before, "(*.")+1:])
			return name == "mu" || strings.Contains(name, "mutex") ||
				strings.HasSuffix(name, "lock")
		}
	}
	return false
}

// isStd reports whether a symbol is of the standard library or of plumbing, a
// built-in function, a lock, a call into C, or a call without a name.
func isStd(symbol string) bool {
	if symbol == "" || symbol == "panic" || strings.Contains(symbol, "._Cfunc_") ||
		isLocker(symbol) {
		return true
	}
	pkg := packageOf(unvendored(symbol))
	first, rest, dir := strings.Cut(pkg, "/")
	if first == "internal" {
		rest, _, _ = strings.Cut(rest, "/")
		return stdInternal[rest]
	}
	if !dir || !strings.Contains(first, ".") {
		return std[first]
	}
	for _, p := range plumbing {
		if strings.HasPrefix(pkg, p) {
			return true
		}
	}
	return false
}

func base(file string) string {
	return path.Base(strings.ReplaceAll(file, `\`, "/"))
}

// firstElement returns the first element of a symbol's import path.
func firstElement(symbol string) string {
	first, _, _ := strings.Cut(packageOf(symbol), "/")
	return first
}
