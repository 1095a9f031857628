package doctor

// longest are the two sites of a kind whose goroutines have waited longest, so
// that the longest wait outside any site is known without a look at all others.
type longest [2]struct {
	site    *site
	minutes int
}

// add notes that goroutines of s have waited for so many minutes.
func (l *longest) add(s *site, minutes int) {
	switch {
	case l[0].site == s:
		l[0].minutes = max(l[0].minutes, minutes)
	case l[0].site == nil || minutes > l[0].minutes:
		l[0], l[1] = l[1], l[0]
		l[0].site, l[0].minutes = s, minutes
	case l[1].site == nil || l[1].site == s || minutes > l[1].minutes:
		l[1].site, l[1].minutes = s, max(l[1].minutes, minutes)
	}
}

// elsewhere reports whether a goroutine of another site has waited that long, to
// the minute.
func (l *longest) elsewhere(s *site, minutes int) bool {
	for i := range l {
		if o := &l[i]; o.site != nil && o.site != s && o.minutes+1 >= minutes {
			return true
		}
	}
	return false
}
