package printable

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNumber(t *testing.T) {
	for n, want := range map[int]string{
		0: "0", 999: "999", 1000: "1,000", 7978: "7,978", 1234567: "1,234,567",
		-100: "-100", -1000: "-1,000", -1234: "-1,234",
	} {
		assert.Equal(t, want, Number(n))
	}
	assert.Equal(t, "18,446,744,073,709,551,615", Number(uint64(1<<64-1)))
}

func TestPlural(t *testing.T) {
	assert.Equal(t, "0 values", Plural(0, "value"))
	assert.Equal(t, "1 value", Plural(1, "value"))
	assert.Equal(t, "7,978 values", Plural(uint64(7978), "value"))
}
