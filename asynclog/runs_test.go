package asynclog

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestRunsAreOfManyRecordsAndNotTooMany(t *testing.T) {
	const size = 1 << 20
	ring := newByteRing(size, pieceBytes)
	for ring.put([]byte("abcdefghijklmnop"), newMark(16, classInfo)) {
	}
	require.LessOrEqual(t, ring.runs.n, ring.records/runRecords+1)
	require.Equal(t, runRecords, ring.runs.oldest().records)
	require.Equal(t, 16*runRecords, ring.runs.oldest().bytes)
}

// A batch is of whole runs, up to the limit, in the room there is for marks.
func TestRunsMakeABatch(t *testing.T) {
	ring := newByteRing(1<<16, 1000)
	for range 50 {
		require.True(t, ring.put(make([]byte, 100), newMark(100, classInfo)))
	}
	marks := make([]mark, 64)
	batch, ends := ring.take(3500, marks, nil)
	require.Len(t, batch, 3000)
	require.Equal(t, []place{{10, 1000}, {20, 2000}, {30, 3000}}, ends)
	ring.release()
	batch, ends = ring.take(3500, marks[:15], nil)
	require.Len(t, batch, 1500)
	require.Equal(t, []place{{10, 1000}, {15, 1500}}, ends)
	ring.release()
	batch, ends = ring.take(200, marks, nil)
	require.Len(t, batch, 500, "the rest of a run")
	require.Equal(t, []place{{5, 500}}, ends)
	ring.release()
	require.Zero(t, ring.records)
	for range 20 {
		require.True(t, ring.put(make([]byte, 100), newMark(100, classInfo)))
	}
	batch, _ = ring.take(2000, marks, nil)
	require.Len(t, batch, 2000, "the limit itself")
}

// The table of runs is made once, for the worst that can come: of any two
// neighbours, hardly more than one fills a run. It is small beside the rest.
func TestRunsHaveRoomForTheWorst(t *testing.T) {
	for _, c := range []struct{ size, limit, long int }{
		{4 << 20, pieceBytes, pieceBytes}, {4 << 20, pieceBytes, 1},
		{1 << 16, 1 << 14, 1 << 14}, {1 << 16, 50, 50}, {1 << 16, 1 << 14, 1},
		{256, 64, 64}, {80, 0, 1},
	} {
		ring := newByteRing(c.size, c.limit)
		for ring.put([]byte{1}, newMark(1, classInfo)) {
			if !ring.put(make([]byte, c.long), newMark(c.long, classInfo)) {
				break
			}
		}
		require.LessOrEqual(t, ring.runs.n, len(ring.runs.all))
		most := 2*(c.size/max(c.limit, 1)+len(ring.marks)/runRecords) + 4
		require.LessOrEqual(t, len(ring.runs.all), most)
	}
}
