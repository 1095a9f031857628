// Package bus has exported channels that only one package uses.
package bus

// Bus is what requests send to.
type Bus struct {
	Lines  chan string
	Unread chan string
}

// New returns a bus.
func New() *Bus { return &Bus{make(chan string, 8), make(chan string)} }

// Send is called by requests.
func (b *Bus) Send(line string) { b.Lines <- line }

// Default is a channel of the package.
var Default = make(chan int)

// Emit sends to it.
func Emit() { Default <- 1 }

// Start has all of a channel in one internal package: exported, but not used.
func Start(work func() error) {
	p := &Own{make(chan int)}
	go func() {
		for range p.Ch {
			if work() != nil {
				return // found: Own
			}
		}
	}()
	p.put()
}

// Own is exported, and no other package uses it.
type Own struct{ Ch chan int }

func (o *Own) put() { o.Ch <- 1 }
