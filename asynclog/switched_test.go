package asynclog

import (
	"io"
	"sync"
)

// switched is a sink that can be exchanged for another.
type switched struct {
	mu sync.Mutex
	to io.Writer
}

func (s *switched) set(to io.Writer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to = to
}

func (s *switched) Write(p []byte) (int, error) {
	s.mu.Lock()
	to := s.to
	s.mu.Unlock()
	return to.Write(p)
}
