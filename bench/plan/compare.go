package plan

// MarkFailing names the peers that fail, for all tables of the section.
func (s *Section) MarkFailing(names []string) {
	for _, t := range s.Tables {
		if t.Compare != nil {
			t.Compare.Fails = names
		}
	}
}

// Compare says how the rows of a table are compared, so that the report can
// name the rows in which a peer is ahead. Columns are counted from 0; their
// cells are numbers, thousands parted by commas, maybe with a unit: 1.5 µs.
type Compare struct {
	Group int // rows with the same cell here are rivals; -1: all rows are
	Kind  int // of these, only rows with the same cell here; -1: all of them
	Name  int // the column with the name of the rival
	Ours  []string
	Fails []string // those that lose, mix up or miscount what they are given

	Less, More []int // columns in which less, or more, is better

	// Rounds has for each row, and each column of it, what the rounds gave.
	// Who is ahead in the medians alone may be so by chance.
	Rounds [][][]float64
}
