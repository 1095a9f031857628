package plan

// Compare says how the rows of a table are compared, so that the report can
// name the rows in which a peer is ahead. Columns are counted from 0; their
// cells are numbers, thousands parted by commas, or durations such as 1.5µs.
type Compare struct {
	Group int // rows with the same cell here are rivals; -1: all rows are
	Name  int // the column with the name of the rival
	Ours  []string

	Less, More []int // columns in which less, or more, is better
}
