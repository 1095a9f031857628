package more

// The test reads tested.
var _ = (&tested{}).inTest
