package asynclog

// tooLong: Plan 9 has no error number for a message that is too long.
func tooLong(error) bool { return false }
