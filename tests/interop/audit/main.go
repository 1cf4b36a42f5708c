// A verifier that shares no code with the program: Go's checksum database packages (sumdb/tlog, sumdb/note) read what
// `fhir-adapter audit export` and `audit prove` write.
//
//	verifier log DIR          every entry of the exported log against its tiles and its signed checkpoint
//	verifier proof FILE VKEY  one entry and its proof against the signed checkpoint
//
// Exit 0 and a line when all of it holds, else 1 and the reason.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const tileHeight = 8

type checkpoint struct {
	origin string
	tree   tlog.Tree
}

func parseCheckpoint(signed []byte, key string) (checkpoint, error) {
	verifier, err := note.NewVerifier(strings.TrimSpace(key))
	if err != nil {
		return checkpoint{}, err
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		return checkpoint{}, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return checkpoint{}, fmt.Errorf("not a checkpoint of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return checkpoint{}, err
	}
	root, err := tlog.ParseHash(lines[2])
	return checkpoint{lines[0], tlog.Tree{N: size, Hash: root}}, err
}

// tiles reads the files of c2sp.org/tlog-tiles, whose paths lack the height that Go's own layout has.
type tiles struct{ dir string }

func (t tiles) Height() int                     { return tileHeight }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(list []tlog.Tile) ([][]byte, error) {
	var out [][]byte
	for _, tile := range list {
		path := strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/", tileHeight), "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.dir, path))
		if err != nil {
			return nil, err
		}
		out = append(out, data)
	}
	return out, nil
}

func bundlePath(index, width int64) string {
	tile := tlog.Tile{H: tileHeight, L: 0, N: index, W: int(width)}
	return strings.Replace(tile.Path(), fmt.Sprintf("tile/%d/0/", tileHeight), "tile/entries/", 1)
}

func readBundle(dir string, index, width int64) ([][]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, bundlePath(index, width)))
	if err != nil {
		return nil, err
	}
	var entries [][]byte
	for len(data) > 0 {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, fmt.Errorf("bundle %d ends within an entry", index)
		}
		size := 2 + int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:size])
		data = data[size:]
	}
	if int64(len(entries)) != width {
		return nil, fmt.Errorf("bundle %d has %d entries, not %d", index, len(entries), width)
	}
	return entries, nil
}

func verifyLog(dir string) error {
	key, err := os.ReadFile(filepath.Join(dir, "vkey"))
	if err != nil {
		return err
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	point, err := parseCheckpoint(signed, string(key))
	if err != nil {
		return err
	}
	// Authenticates each tile against the root before it gives a hash.
	hashes := tlog.TileHashReader(point.tree, tiles{dir})
	const width = 1 << tileHeight
	for first := int64(0); first < point.tree.N; first += width {
		count := point.tree.N - first
		if count > width {
			count = width
		}
		entries, err := readBundle(dir, first/width, count)
		if err != nil {
			return err
		}
		indexes := make([]int64, count)
		for i := range indexes {
			indexes[i] = tlog.StoredHashIndex(0, first+int64(i))
		}
		want, err := hashes.ReadHashes(indexes)
		if err != nil {
			return err
		}
		for i, entry := range entries {
			if tlog.RecordHash(entry) != want[i] {
				return fmt.Errorf("entry %d is not what was signed", first+int64(i)+1)
			}
		}
	}
	fmt.Printf("%s: %d entries verified\n", point.origin, point.tree.N)
	return nil
}

func verifyProof(file, key string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	end := bytes.Index(data, []byte("\n\n"))
	if end < 0 {
		return fmt.Errorf("no checkpoint in the proof")
	}
	lines := strings.Split(string(data[:end]), "\n")
	if len(lines) < 3 || lines[0] != "c2sp.org/tlog-proof@v1" || !strings.HasPrefix(lines[1], "extra ") ||
		!strings.HasPrefix(lines[2], "index ") {
		return fmt.Errorf("not a proof")
	}
	entry, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(lines[1], "extra "))
	if err != nil {
		return err
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[2], "index "), 10, 64)
	if err != nil {
		return err
	}
	var proof tlog.RecordProof
	for _, line := range lines[3:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	point, err := parseCheckpoint(data[end+2:], key)
	if err != nil {
		return err
	}
	if err := tlog.CheckRecord(proof, point.tree.N, point.tree.Hash, index, tlog.RecordHash(entry)); err != nil {
		return err
	}
	fmt.Printf("entry %d of %d verified\n", index+1, point.tree.N)
	return nil
}

func main() {
	err := fmt.Errorf("usage: verifier log DIR | verifier proof FILE VKEY")
	switch {
	case len(os.Args) == 3 && os.Args[1] == "log":
		err = verifyLog(os.Args[2])
	case len(os.Args) == 4 && os.Args[1] == "proof":
		err = verifyProof(os.Args[2], os.Args[3])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
