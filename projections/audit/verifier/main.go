// Verifies an exported transparency log with nothing but Go's own packages for logs and signed notes, which know
// nothing of Salur: the checkpoint's signature, the root, every entry's place in the tree, and that the tree continues
// earlier ones. It reads the C2SP tile layout: verifier DIRECTORY VERIFIER-KEY-FILE [EARLIER-CHECKPOINT...]
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

const height = 8 // of a tile: 256 hashes

// tiles reads tiles of hashes from the directory. Go writes the height into a path, C2SP does not.
type tiles struct{ directory string }

func (t tiles) Height() int { return height }

func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	var found [][]byte
	for _, tile := range wanted {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(t.directory, path))
		if err != nil {
			return nil, err
		}
		found = append(found, data)
	}
	return found, nil
}

func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}

func opened(path string, verifier note.Verifier) (tlog.Tree, error) {
	message, err := os.ReadFile(path)
	if err != nil {
		return tlog.Tree{}, err
	}
	signed, err := note.Open(message, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	lines := strings.Split(signed.Text, "\n")
	if len(lines) < 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, fmt.Errorf("%s: not a checkpoint of %s", path, verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, fmt.Errorf("%s: %w", path, err)
	}
	root, err := base64.StdEncoding.Strict().DecodeString(lines[2])
	if err != nil || len(root) != tlog.HashSize {
		return tlog.Tree{}, fmt.Errorf("%s: not a root", path)
	}
	tree := tlog.Tree{N: size}
	copy(tree.Hash[:], root)
	return tree, nil
}

// entries reads every bundle and returns the entries in order.
func entries(directory string, size int64) ([][]byte, error) {
	var found [][]byte
	for first := int64(0); first < size; first += 1 << height {
		tile := tlog.Tile{H: height, L: -1, N: first >> height, W: 1 << height}
		if size-first < 1<<height {
			tile.W = int(size - first)
		}
		path := strings.Replace(tile.Path(), "tile/8/data/", "tile/entries/", 1)
		data, err := os.ReadFile(filepath.Join(directory, path))
		if err != nil {
			return nil, err
		}
		count := len(found)
		for len(data) > 0 {
			if len(data) < 2 || len(data)-2 < int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s ends inside an entry", path)
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			found, data = append(found, data[2:end]), data[end:]
		}
		if len(found)-count != tile.W {
			return nil, fmt.Errorf("%s holds %d entries, not %d", path, len(found)-count, tile.W)
		}
	}
	return found, nil
}

// tilesOf returns the tiles of hashes of a tree, the partial ones at their newest width.
func tilesOf(size int64) []tlog.Tile {
	var found []tlog.Tile
	for level := 0; size > 0; level, size = level+1, size>>height {
		for first := int64(0); first < size; first += 1 << height {
			width := 1 << height
			if size-first < 1<<height {
				width = int(size - first)
			}
			found = append(found, tlog.Tile{H: height, L: level, N: first >> height, W: width})
		}
	}
	return found
}

func verify(directory, keyFile string, earlier []string) error {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(string(key)))
	if err != nil {
		return err
	}
	tree, err := opened(filepath.Join(directory, "checkpoint"), verifier)
	if err != nil {
		return err
	}
	found, err := entries(directory, tree.N)
	if err != nil {
		return err
	}
	// The reader holds every tile against the signed root before it uses a hash of it.
	reader := tlog.TileHashReader(tree, tiles{directory})
	root, err := tlog.TreeHash(tree.N, reader)
	if err != nil || root != tree.Hash {
		return fmt.Errorf("the tiles do not give the signed root: %v", err)
	}
	var stored []tlog.Hash // the whole tree again, from the entries alone
	memory := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	for index, entry := range found {
		// All tiles are compared below; a few proofs show that what is served suffices for them.
		if index%(1<<height) == 0 || int64(index) == tree.N-1 {
			proof, err := tlog.ProveRecord(tree.N, int64(index), reader)
			if err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
			if err := tlog.CheckRecord(proof, tree.N, tree.Hash, int64(index), tlog.RecordHash(entry)); err != nil {
				return fmt.Errorf("entry %d: %w", index, err)
			}
		}
		hashes, err := tlog.StoredHashes(int64(index), entry, memory)
		if err != nil {
			return err
		}
		stored = append(stored, hashes...)
	}
	if root, err := tlog.TreeHash(tree.N, memory); err != nil || root != tree.Hash {
		return fmt.Errorf("the entries do not give the signed root: %v", err)
	}
	for _, tile := range tilesOf(tree.N) {
		wanted, err := tlog.ReadTileData(tile, memory)
		if err != nil {
			return err
		}
		served, err := tiles{directory}.ReadTiles([]tlog.Tile{tile})
		if err != nil {
			return err
		}
		if !bytes.Equal(served[0], wanted) {
			return fmt.Errorf("%s does not hold the hashes of the entries", tile.Path())
		}
	}
	for _, path := range earlier {
		old, err := opened(path, verifier)
		if err != nil {
			return err
		}
		proof, err := tlog.ProveTree(tree.N, old.N, reader)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
	}
	fmt.Printf("%s: %d entries and %d earlier checkpoints verified\n", verifier.Name(), tree.N, len(earlier))
	return nil
}

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: verifier DIRECTORY VERIFIER-KEY-FILE [EARLIER-CHECKPOINT...]")
		os.Exit(2)
	}
	if err := verify(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, "NOT VERIFIED:", err)
		os.Exit(1)
	}
}
