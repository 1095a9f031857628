package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"example.com/chanx/recipes"
)

const recipeUsage = `usage: chanx recipe [flags] [NAME | WORD...]

Finds concurrency patterns to copy, and prints them ready to build. Without an
argument it lists them all; with words it lists those that the words find. With
the NAME of a recipe, or with a flag and words that find only one, it prints
the recipe.

Exit status: 0 found, 1 nothing found, or more than one to print, 2 usage.

Examples:
  chanx recipe fan-in
  chanx recipe workerpool
  chanx recipe -pkg server workerpool > pool.go
  chanx recipe -pkg server -test workerpool > pool_test.go

Flags:
`

// runRecipe is the command recipe.
func runRecipe(args []string, c *console) int {
	fs := flag.NewFlagSet("recipe", flag.ContinueOnError)
	fs.SetOutput(io.Discard)
	pkg := fs.String("pkg", "", "print the recipe as a file of `PACKAGE`")
	test := fs.Bool("test", false, "print its tests instead")
	words, err := parseAnywhere(fs, args)
	if errors.Is(err, flag.ErrHelp) {
		io.WriteString(c.stdout, recipeUsage)
		fs.SetOutput(c.stdout)
		fs.PrintDefaults()
		return exitClean
	}
	if err != nil {
		c.say("recipe: %v", err)
		c.say("recipe: chanx recipe -h says how")
		return exitTrouble
	}
	search := strings.Join(words, " ")
	found := recipes.Find(search)
	if search == "" {
		found = recipes.All()
	}
	if *pkg != "" || *test || isName(search) {
		return printRecipe(*pkg, search, found, *test, c)
	}
	if len(found) == 0 {
		c.say("recipe: nothing found for %q; chanx recipe lists all", search)
		return exitFindings
	}
	list(c.stdout, found)
	return exitClean
}

// parseAnywhere also takes flags after words.
func parseAnywhere(fs *flag.FlagSet, args []string) (words []string, err error) {
	for err = fs.Parse(args); err == nil && fs.NArg() > 0; {
		words = append(words, fs.Arg(0))
		err = fs.Parse(fs.Args()[1:])
	}
	return words, err
}

func isName(search string) bool {
	_, err := recipes.Print("", search)
	return err == nil
}

// printRecipe prints nothing to standard output but the one recipe, because
// that is usually a file of the user's.
func printRecipe(
	pkg, search string, found []recipes.Recipe, test bool, c *console,
) int {
	name := search
	if !isName(name) {
		if len(found) != 1 || found[0].Name == "" {
			c.say("recipe: %q is not the name of a recipe; found:", search)
			list(c.stderr, found)
			return exitFindings
		}
		name = found[0].Name
	}
	print := recipes.Print
	if test {
		print = recipes.PrintTest
	}
	text, err := print(pkg, name)
	if err == nil {
		_, err = io.WriteString(c.stdout, text)
	}
	if err != nil {
		c.say("recipe: %v", err)
		return exitTrouble
	}
	return exitClean
}

func list(w io.Writer, found []recipes.Recipe) {
	for _, r := range found {
		words := strings.Join(r.Words, ", ")
		if r.Name != "" {
			fmt.Fprintf(w, "%s (%s)\n    %s\n", r.Name, words, r.Does)
		} else {
			fmt.Fprintf(w, "no recipe needed (%s)\n    %s: %s\n    %s\n",
				words, r.Use, r.Does, r.Link)
		}
	}
}
