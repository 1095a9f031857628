package main

import (
	"encoding/json"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"

	"example.com/chanx/verify/internal/trial"
)

// goPackage is what go list tells of a package.
type goPackage struct {
	Dir, Name, ImportPath string
	GoFiles               []string
	Module                struct{ Dir string }
}

func list(root, path string) (p goPackage, err error) {
	cmd := exec.Command("go", "list", "-json", path)
	cmd.Dir, cmd.Stderr = root, os.Stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, &p)
	}
	return p, err
}

// woven is a package with all its mutants.
type woven struct {
	goPackage
	files   map[string][]byte // by path
	mutants []mutant
}

func load(root, path string) (*woven, error) {
	p, err := list(root, path)
	if err != nil {
		return nil, err
	}
	// Types are needed to know constants and strings; the importer from
	// source finds modules from the working directory only.
	if err := os.Chdir(p.Dir); err != nil {
		return nil, err
	}
	fset := token.NewFileSet()
	files, err := parse(fset, p)
	if err != nil {
		return nil, err
	}
	info := &types.Info{Types: make(map[ast.Expr]types.TypeAndValue)}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check(p.ImportPath, fset, files, info)
	if err != nil {
		return nil, err
	}
	return p.weave(&weaver{fset: fset, info: info, pkg: pkg}, files)
}

func parse(fset *token.FileSet, p goPackage) (files []*ast.File, err error) {
	for _, name := range p.GoFiles {
		file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, 0)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	return files, nil
}

func (p goPackage) weave(w *weaver, files []*ast.File) (_ *woven, err error) {
	all := &woven{goPackage: p, files: map[string][]byte{
		filepath.Join(p.Dir, trial.SwitchFile): trial.Switch(p.Name),
	}}
	for i, file := range files {
		path := filepath.Join(p.Dir, p.GoFiles[i])
		if w.source, err = os.ReadFile(path); err != nil {
			return nil, err
		}
		if w.name, err = filepath.Rel(p.Module.Dir, path); err != nil {
			return nil, err
		}
		all.files[path] = w.weave(file)
	}
	all.mutants = w.mutants
	return all, nil
}
