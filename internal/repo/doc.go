// Package repo tests the repository rather than one package: what a module that
// imports chanx gets, what a copied file needs, and that the documents, their
// links and the command that renames the module hold.
package repo
