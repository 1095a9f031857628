package doctor

import (
	"cmp"
	"slices"
)

// Change is a function that goroutines were started with, and how many there
// were then and are now.
type Change struct {
	Function string `json:"function"`
	Then     int    `json:"then"`
	Now      int    `json:"now"`

	file string
}

// roots counts the goroutines by the function they were started with.
func (sc *scene) roots() map[string]Change {
	m := make(map[string]Change)
	for _, stack := range sc.now.Stacks {
		f := stack.root()
		if f.Func == "" || isStd(f.Func) {
			continue
		}
		c := m[f.Func]
		c.Function, c.file = f.Func, f.File
		c.Now += stack.Count
		m[f.Func] = c
	}
	return m
}

// changes compares the earliest snapshot with now; vanished workers first,
// then by how much.
func (sc *scene) changes() []Change {
	if len(sc.past) == 0 {
		return nil
	}
	var all []Change
	then, now := sc.past[0].roots(), sc.roots()
	for name, c := range then {
		all = append(all, Change{name, c.Now, now[name].Now, c.file})
	}
	for name, c := range now {
		if _, ok := then[name]; !ok {
			all = append(all, Change{name, 0, c.Now, c.file})
		}
	}
	all = slices.DeleteFunc(all, func(c Change) bool { return c.Then == c.Now })
	slices.SortFunc(all, func(a, b Change) int {
		return cmp.Or(
			cmp.Compare(min(a.Now, 1), min(b.Now, 1)),
			cmp.Compare(abs(b.Now-b.Then), abs(a.Now-a.Then)),
			cmp.Compare(a.Function, b.Function),
		)
	})
	return all
}

func abs(n int) int { return max(n, -n) }

// vanished returns the workers of a package that an earlier snapshot had and
// that are in no stack now. A later one than the first may have had them: it may
// have been taken before they started.
func (sc *scene) vanished(pkg string) []Change {
	if sc.left == nil {
		sc.left = make(map[string][]Change)
		now := sc.roots()
		seen := make(map[string]bool)
		for _, past := range sc.past {
			for name, c := range past.roots() {
				if now[name].Now == 0 && !seen[name] {
					seen[name] = true
					in := packageOf(name)
					sc.left[in] = append(sc.left[in], Change{name, c.Now, 0, c.file})
				}
			}
		}
		for _, gone := range sc.left {
			slices.SortFunc(gone, func(a, b Change) int {
				return cmp.Compare(a.Function, b.Function)
			})
		}
	}
	return sc.left[pkg]
}
