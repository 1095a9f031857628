package asynclog

import "fmt"

// Count is a number of records and of their bytes. The bytes are those of the
// callers: loss reports are not counted. A record counts with all its bytes or
// not at all, so one that is half written is still Buffered as a whole.
type Count struct {
	Records, Bytes uint64
}

// String returns "3 records, 570 bytes".
func (c Count) String() string {
	return fmt.Sprintf("%d records, %d bytes", c.Records, c.Bytes)
}

func (c *Count) add(bytes int) {
	c.Records++
	c.Bytes += uint64(bytes)
}

func (c Count) plus(d Count) Count {
	return Count{c.Records + d.Records, c.Bytes + d.Bytes}
}
