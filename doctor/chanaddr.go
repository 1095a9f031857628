package doctor

// A profile with debug=1 has no names for the calls of the runtime, but their
// addresses tell a send from a receive. runtime.chansend1 and runtime.chanrecv1
// are a few instructions that call the function behind them, so the return
// address in them is always the same number of bytes from their beginning,
// which the linker aligns to 16. The numbers below were read from tracebacks of
// Go 1.10 to 1.26. Where one address of a profile does not fit, the doctor says
// "a channel operation" for all of it.

// chanCallers maps the last hexadecimal digit of a return address in the
// runtime's entry of a channel operation to the operation, on x86. The digits
// of Go 1.21, 1.17 and 1.10 are those of amd64, the last of each line is 386's.
var chanCallers = map[uint64]Operation{
	0x7: ChanSend, 0xd: ChanSend, 0x5: ChanSend, 0x4: ChanSend,
	0x2: ChanReceive, 0x8: ChanReceive, 0xb: ChanReceive, 0xc: ChanReceive,
}

// chanCallersARM is chanCallers for arm64, whose addresses are multiples of 4.
var chanCallersARM = map[uint64]Operation{
	0x8: ChanSend, 0x4: ChanReceive,
}

// chanCode is where in a program the runtime sends and receives.
type chanCode struct {
	depth   int                  // unnamed calls of a channel operation
	callers map[uint64]Operation // by the last digit of their return address
	bodies  map[uint64]Operation // by a return address in chansend or chanrecv
}

const (
	minChanCall = 0x200 // bytes between the two return addresses
	maxChanCall = 0x800
)

// chanCodeOf reads the addresses of a profile. It returns nil if they contradict
// each other or what compilers do.
func chanCodeOf(p *Snapshot) *chanCode {
	c := &chanCode{depth: chanDepth(p), callers: chanCallers,
		bodies: make(map[uint64]Operation)}
	if aligned(p) {
		c.callers = chanCallersARM
	}
	body := make(map[Operation]uint64)
	for _, s := range p.Stacks {
		if operationOf(s) != ChanAny || unnamedCalls(s) != c.depth {
			continue
		}
		op, in, ok := c.operation(s)
		if known := body[op]; !ok || known != 0 && known != in {
			return nil
		}
		body[op], c.bodies[in] = in, op
	}
	if body[ChanSend] != 0 && body[ChanReceive] != 0 &&
		body[ChanSend] > body[ChanReceive] {
		return nil // the compiler keeps the order of the source
	}
	return c
}

// operation returns the channel operation of s by the runtime's calls, and the
// address in the function that parks.
func (c *chanCode) operation(s *Stack) (op Operation, in uint64, ok bool) {
	in, out := s.Frames[c.depth-2].PC, s.Frames[c.depth-1].PC
	op, ok = c.callers[out&0xf]
	return op, in, ok && in-out >= minChanCall && in-out <= maxChanCall
}

// of returns the operation of a stack of the profile, or [ChanAny].
func (c *chanCode) of(s *Stack) Operation {
	if c == nil {
		return ChanAny
	}
	if unnamedCalls(s) < c.depth {
		return Select // before Go 1.10, by way of selectgoImpl
	}
	op, _, _ := c.operation(s)
	return op
}

// chanDepth is the number of unnamed calls of a channel operation: gopark,
// chansend and chansend1, and before Go 1.14 goparkunlock behind the first.
func chanDepth(p *Snapshot) int {
	for _, s := range p.Stacks {
		if unnamedCalls(s) == 4 && operationOf(s) == ChanAny {
			return 4
		}
	}
	return 3
}

// unnamedCalls returns how many calls at the inner end of s have only an
// address, if there are others.
func unnamedCalls(s *Stack) int {
	for n, f := range s.Frames {
		if f.Func != "" || f.PC == 0 {
			return n
		}
	}
	return 0
}

// aligned reports whether all addresses of a profile are multiples of 4.
func aligned(p *Snapshot) bool {
	seen := 0
	for _, s := range p.Stacks {
		for _, f := range s.Frames {
			if f.PC%4 != 0 {
				return false
			}
			if f.PC != 0 {
				seen++
			}
		}
	}
	return seen >= 3
}
