package generator

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	users := map[string]Page[string, string]{ // an API, by cursor
		"":   {Items: []string{"ann", "bob"}, Next: "p2"},
		"p2": {Items: []string{"cid", "dora"}, Next: "p3"},
		"p3": {Items: []string{"eve"}, Last: true},
	}
	list := func(_ context.Context, cursor string) (Page[string, string], error) {
		fmt.Printf("fetch %q\n", cursor)
		return users[cursor], nil
	}
	for user, err := range Pages(context.Background(), "", list) {
		fmt.Println(user, err)
		if user == "cid" {
			break // the third page is not fetched
		}
	}
	// Output:
	// fetch ""
	// ann <nil>
	// bob <nil>
	// fetch "p2"
	// cid <nil>
}

var errBad = errors.New("bad")

// A source has pages of the numbers from 0, fails at one of them, and counts.
type source struct {
	sizes   []int
	bad     int // the page that fails; 0: none
	fetched int
}

func (s *source) fetch(_ context.Context, n int) (Page[int, int], error) {
	s.fetched++
	if n > 0 && n == s.bad {
		return Page[int, int]{Items: []int{-1}}, errBad
	}
	first := 0
	for _, size := range s.sizes[:n] {
		first += size
	}
	page := Page[int, int]{Next: n + 1, Last: n == len(s.sizes)-1}
	for i := range s.sizes[n] {
		page.Items = append(page.Items, first+i)
	}
	return page, nil
}

func collect(seq iter.Seq2[int, error]) (items []int, last error) {
	for v, err := range seq {
		if last = err; err == nil {
			items = append(items, v)
		}
	}
	return items, last
}

func expect(t *testing.T, items []int, n int, err, want error) {
	t.Helper()
	if err != want || len(items) != n || !slices.IsSorted(items) ||
		n > 0 && items[n-1] != n-1 {
		t.Error(items, err, "want", n, want)
	}
}

func TestBreak(t *testing.T) {
	s := &source{sizes: []int{2, 2, 2}}
	for v := range Pages(t.Context(), 0, s.fetch) {
		if v == 1 {
			break
		}
	}
	if s.fetched != 1 {
		t.Error("fetched", s.fetched)
	}
}

func TestLazy(t *testing.T) {
	s := &source{sizes: []int{2, 2}}
	seq := Pages(t.Context(), 0, s.fetch)
	if s.fetched != 0 {
		t.Error("fetched before the loop")
	}
	next, stop := iter.Pull2(seq)
	defer stop()
	for _, want := range []int{1, 1, 2, 2} {
		next()
		if s.fetched != want {
			t.Error("fetched", s.fetched, "want", want)
		}
	}
}

func TestEmptyPage(t *testing.T) {
	s := &source{sizes: []int{0, 2, 0, 0, 1, 0}}
	items, err := collect(Pages(t.Context(), 0, s.fetch))
	expect(t, items, 3, err, nil)
}

func TestNoPages(t *testing.T) {
	s := &source{sizes: []int{0}}
	items, err := collect(Pages(t.Context(), 0, s.fetch))
	expect(t, items, 0, err, nil)
	if s.fetched != 1 {
		t.Error("fetched", s.fetched)
	}
}

func TestError(t *testing.T) {
	s := &source{sizes: []int{2, 2, 2}, bad: 1}
	items, err := collect(Pages(t.Context(), 0, s.fetch))
	expect(t, items, 2, err, errBad)
	if s.fetched != 2 {
		t.Error("fetched", s.fetched)
	}
}

func TestContextDone(t *testing.T) {
	s := &source{sizes: []int{2, 2}}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var items []int
	var last error
	for v, err := range Pages(ctx, 0, s.fetch) {
		if last = err; err == nil {
			items = append(items, v)
		}
		cancel()
	}
	expect(t, items, 2, last, context.Canceled)
	if s.fetched != 1 {
		t.Error("fetched", s.fetched)
	}
}

func TestAgain(t *testing.T) {
	s := &source{sizes: []int{2, 2}}
	seq := Pages(t.Context(), 0, s.fetch)
	for range 3 {
		items, err := collect(seq)
		expect(t, items, 4, err, nil)
	}
}

func endless(yield func(int) bool) {
	for n := 0; yield(n); n++ {
	}
}

func TestChannel(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var got []int
		for v := range Chan(t.Context(), 0, slices.Values([]int{0, 1, 2})) {
			got = append(got, v)
		}
		expect(t, got, 3, nil, nil)

		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		var chans []<-chan int
		for size := range 1000 {
			ch := Chan(ctx, size%3, endless)
			chans = append(chans, ch)
			for v := range 5 { // and stops receiving
				if got := <-ch; got != v {
					t.Error(got, "want", v)
				}
			}
		}
		cancel()
		synctest.Wait()
		for i, ch := range chans {
			left := 0
			for range ch {
				left++
			}
			if left > i%3 {
				t.Error(left, "items after ctx was done")
			}
		}
		for range 100 {
			for v := range Chan(ctx, 1, endless) {
				t.Fatal(v, "although ctx was done")
			}
		}
	})
}
