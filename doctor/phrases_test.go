package doctor

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestDoing(t *testing.T) {
	assert.EqualValues(t, "blocked sending", doing("chan send"))
	assert.EqualValues(t, "in the state a reason of 2031", doing("A reason of 2031"))
}
