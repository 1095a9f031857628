package watch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"example.com/chanx/internal/leakgate"
)

func TestMain(m *testing.M) { leakgate.Main(m) }

func Example() {
	type config struct{ Level string }
	current := New(config{Level: "info"})
	err := current.Reload(context.Background(),
		func(context.Context) (config, error) {
			return config{}, errors.New("line 3: unknown level")
		})
	fmt.Println(err, current.Get())

	err = current.Reload(context.Background(),
		func(context.Context) (config, error) {
			return config{Level: "debug"}, nil // in production: read a file
		})
	fmt.Println(err)
	for c := range current.Watch(context.Background()) {
		fmt.Println("the logger uses", c.Level)
		current.Close() // the program ends
	}
	// Output:
	// line 3: unknown level {info}
	// <nil>
	// the logger uses debug
}

var errBad = errors.New("bad")

// seen collects what a watcher sees, which takes so long for each.
func seen(ctx context.Context, v *Value[int], all *sync.WaitGroup, took time.Duration) *[]int {
	list := new([]int)
	all.Go(func() {
		for n := range v.Watch(ctx) {
			*list = append(*list, n)
			time.Sleep(took)
		}
	})
	return list
}

func expect(t *testing.T, got *[]int, want ...int) {
	t.Helper()
	if !slices.Equal(*got, want) {
		t.Error("saw", *got, "want", want)
	}
}

func TestFirstValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		v := New(7)
		if v.Get() != 7 {
			t.Error(v.Get())
		}
		a := seen(t.Context(), v, &all, 0)
		synctest.Wait()
		v.Set(8)
		synctest.Wait()
		b := seen(t.Context(), v, &all, 0)
		synctest.Wait()
		v.Close()
		all.Wait()
		expect(t, a, 7, 8)
		expect(t, b, 8)
	})
}

func TestSlowWatcher(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		v := New(0)
		slow := seen(t.Context(), v, &all, 10*time.Second)
		fast := seen(t.Context(), v, &all, 0)
		for n := 1; n < 5; n++ {
			time.Sleep(3 * time.Second)
			start := time.Now()
			v.Set(n)
			if d := time.Since(start); d != 0 {
				t.Error("Set waited", d)
			}
			synctest.Wait()
		}
		time.Sleep(time.Minute)
		v.Close()
		all.Wait()
		expect(t, fast, 0, 1, 2, 3, 4)
		expect(t, slow, 0, 3, 4)
	})
}

func TestLastVersion(t *testing.T) {
	var all, setters sync.WaitGroup
	v := New(0)
	var lists []*[]int
	for range 1000 {
		lists = append(lists, seen(t.Context(), v, &all, 0))
	}
	for i := range 10 {
		setters.Go(func() {
			for n := range 100 {
				v.Set(i*100 + n)
			}
		})
	}
	setters.Wait()
	v.Set(-1)
	v.Close()
	all.Wait()
	for _, list := range lists {
		if got := (*list)[len(*list)-1]; got != -1 {
			t.Fatal("saw last", got)
		}
	}
	if v.Get() != -1 {
		t.Error(v.Get())
	}
}

func TestFailedReload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		v := New(7)
		list := seen(t.Context(), v, &all, 0)
		synctest.Wait()
		err := v.Reload(t.Context(),
			func(context.Context) (int, error) { return 8, errBad })
		if err != errBad || v.Get() != 7 {
			t.Error(err, v.Get())
		}
		synctest.Wait()
		v.Close()
		all.Wait()
		expect(t, list, 7)
	})
}

func TestOneReloadAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		v := New(0)
		loading := false
		for i := range 1000 {
			all.Go(func() {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second-1)
				defer cancel()
				err := v.Reload(ctx, func(context.Context) (int, error) {
					if loading {
						t.Error("two at once")
					}
					loading = true
					time.Sleep(time.Second)
					loading = false
					return i, nil
				})
				if err != nil && err != context.DeadlineExceeded {
					t.Error(err)
				}
			})
		}
		all.Wait()
		v.Close()
		if n := v.versions.Stats().Sent; n != 11 {
			t.Error("reloads:", n-1)
		}
	})
}

func TestPanic(t *testing.T) {
	v := New(7)
	func() {
		defer func() {
			if p := recover(); p != errBad {
				t.Error(p)
			}
		}()
		v.Reload(t.Context(), func(context.Context) (int, error) { panic(errBad) })
	}()
	if v.Get() != 7 {
		t.Error(v.Get())
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	err := v.Reload(ctx, func(context.Context) (int, error) { return 8, nil })
	if err != nil || v.Get() != 8 {
		t.Error(err, v.Get())
	}
}

func TestSameValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		v := New(7)
		list := seen(t.Context(), v, &all, 0)
		synctest.Wait()
		v.Set(7)
		synctest.Wait()
		v.Close()
		all.Wait()
		expect(t, list, 7, 7)
	})
}

func TestContextDone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		ctx, cancel := context.WithCancel(t.Context())
		v := New(7)
		list := seen(ctx, v, &all, 0)
		synctest.Wait()
		cancel()
		all.Wait()
		expect(t, list, 7)
		expect(t, seen(ctx, v, &all, 0))
		all.Wait()
		if n := v.versions.Stats().Subscribers; n != 0 {
			t.Error(n, "watchers left")
		}
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		v := New(7)
		slow := seen(t.Context(), v, &all, time.Second)
		synctest.Wait()
		v.Set(8)
		v.Close()
		v.Set(9)
		late := seen(t.Context(), v, &all, 0)
		for range v.Watch(t.Context()) {
			break
		}
		all.Wait()
		expect(t, slow, 7, 8)
		expect(t, late, 8)
		if n := v.versions.Stats().Subscribers; v.Get() != 8 || n != 0 {
			t.Error(v.Get(), n, "watchers left")
		}
	})
}

// Send of a Broadcast has its own tests of cost; here it must not wait.
func TestManyWatchers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var all sync.WaitGroup
		v := New(-1)
		for range 1000 {
			seen(t.Context(), v, &all, time.Hour) // all of them busy
		}
		synctest.Wait()
		start := time.Now()
		for n := range 1000 {
			v.Set(n)
		}
		if d := time.Since(start); d != 0 {
			t.Error("Set waited", d)
		}
		v.Close()
		all.Wait()
	})
}
