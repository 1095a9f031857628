package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strings"

	"example.com/chanx/verify/internal/trial"
)

// sources are the files of a package, by path, as they are and with variants.
type sources struct {
	dir      string
	original map[string][]byte
	woven    map[string][]byte
}

func readSources(dir string) (*sources, error) {
	p := &sources{dir, make(map[string][]byte), make(map[string][]byte)}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		p.original[path] = text
	}
	return p, nil
}

// weave adds v to the package as number n: the function with the mistake is added
// under another name, and the right one begins by calling it if that mistake is
// selected.
func (p *sources) weave(v variant, n int) error {
	path, content, err := v.apply(p)
	if err != nil {
		return err
	}
	wrong, err := parseSource(content)
	if err != nil {
		return fmt.Errorf("variant %s: %w", v.name, err)
	}
	if p.woven[path] == nil {
		p.woven[path] = p.original[path]
	}
	right, err := parseSource(p.original[path])
	if err != nil {
		return err
	}
	for i, f := range right.funcs {
		if i >= len(wrong.funcs) || right.of(f) != wrong.of(wrong.funcs[i]) {
			p.woven[path], err = wrong.withCopy(p.woven[path], i, n)
			return err
		}
	}
	return fmt.Errorf("variant %s is not in a function", v.name)
}

// files is the overlay to build the package with its variants.
func (p *sources) files() (map[string][]byte, error) {
	for path, text := range p.woven {
		file, err := parseSource(text)
		if err != nil {
			return nil, err
		}
		name := filepath.Join(filepath.Dir(path), trial.SwitchFile)
		p.woven[name] = trial.Switch(file.name)
		break
	}
	return p.woven, nil
}

// source is a parsed file.
type source struct {
	text  []byte
	fset  *token.FileSet
	name  string // of the package
	funcs []*ast.FuncDecl
}

func parseSource(text []byte) (*source, error) {
	s := &source{text: text, fset: token.NewFileSet()}
	file, err := parser.ParseFile(s.fset, "", text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	s.name = file.Name.Name
	for _, d := range file.Decls {
		if f, ok := d.(*ast.FuncDecl); ok {
			s.funcs = append(s.funcs, f)
		}
	}
	return s, nil
}

func (s *source) slice(from, to token.Pos) string {
	return string(s.text[s.fset.Position(from).Offset:s.fset.Position(to).Offset])
}

func (s *source) of(f *ast.FuncDecl) string { return s.slice(f.Pos(), f.End()) }

// withCopy returns text with the i-th function of s added under another name.
// Functions are added at the end, so the i-th is still the right one.
func (s *source) withCopy(text []byte, i, n int) ([]byte, error) {
	into, err := parseSource(text)
	if err != nil {
		return nil, err
	}
	f := s.funcs[i]
	name := fmt.Sprintf("%sVariant%d", f.Name.Name, n)
	turn := into.fset.Position(into.funcs[i].Body.Lbrace).Offset + 1
	var out bytes.Buffer
	out.Write(text[:turn])
	fmt.Fprintf(&out, "\n\tif activeMutant == %d {\n\t\t%s\n\t}\n", n, turnTo(f, name))
	out.Write(text[turn:])
	fmt.Fprintf(&out, "\n%s%s%s\n", s.slice(f.Pos(), f.Name.Pos()), name,
		s.slice(f.Name.End(), f.End()))
	return out.Bytes(), nil
}

// turnTo is the statement that calls name instead of going on in f.
func turnTo(f *ast.FuncDecl, name string) string {
	if f.Recv != nil {
		name = f.Recv.List[0].Names[0].Name + "." + name
	}
	var args []string
	for _, field := range f.Type.Params.List {
		for _, arg := range field.Names {
			if _, variadic := field.Type.(*ast.Ellipsis); variadic {
				args = append(args, arg.Name+"...")
				continue
			}
			args = append(args, arg.Name)
		}
	}
	call := fmt.Sprintf("%s(%s)", name, strings.Join(args, ", "))
	if f.Type.Results == nil {
		return call + "\n\t\treturn"
	}
	return "return " + call
}
