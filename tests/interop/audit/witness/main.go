// A witness (C2SP tlog-witness) that shares no code with the program: transparency-dev's cosignatures and consistency
// proofs behind `add-checkpoint`.
//
//	witness keys NAME DIR             makes DIR/key and DIR/vkey
//	witness serve DIR LOG-VKEY ADDR   serves; DIR/state is what it cosigned last, one file for the one log
//	witness check DIR LOG-VKEY FILE   whether the note in FILE is signed by the log and cosigned by the witness of DIR
//
// `serve` prints the address that it listens on.
package main

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"

	"github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

func fail(err error) {
	fmt.Fprintln(os.Stderr, "witness:", err)
	os.Exit(1)
}

func read(path string) string {
	bytes, err := os.ReadFile(path)
	if err != nil {
		fail(err)
	}
	return strings.TrimSpace(string(bytes))
}

func makeKeys(name, dir string) {
	secret, public, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		fail(err)
	}
	for file, text := range map[string]string{"key": secret, "vkey": public} {
		if err := os.WriteFile(filepath.Join(dir, file), []byte(text+"\n"), 0o600); err != nil {
			fail(err)
		}
	}
}

type witness struct {
	mutex  sync.Mutex
	state  string
	log    note.Verifier
	signer note.Signer
}

// Size and root that were cosigned last; 0 for nothing.
func (w *witness) last() (uint64, []byte) {
	bytes, err := os.ReadFile(w.state)
	if err != nil {
		return 0, rfc6962.DefaultHasher.EmptyRoot()
	}
	checkpoint, _, _, err := log.ParseCheckpoint(bytes, w.log.Name(), w.log)
	if err != nil {
		fail(err)
	}
	return checkpoint.Size, checkpoint.Hash
}

// The size that the log says the witness has seen, the proof, and the note.
func parse(body []byte) (old uint64, hashes [][]byte, signed []byte, err error) {
	head, signed, found := bytes.Cut(body, []byte("\n\n"))
	if !found {
		return 0, nil, nil, fmt.Errorf("no empty line")
	}
	lines := strings.Split(string(head), "\n")
	size, found := strings.CutPrefix(lines[0], "old ")
	if !found {
		return 0, nil, nil, fmt.Errorf("no old size")
	}
	if old, err = strconv.ParseUint(size, 10, 64); err != nil {
		return 0, nil, nil, err
	}
	for _, line := range lines[1:] {
		hash, err := base64.StdEncoding.DecodeString(line)
		if err != nil {
			return 0, nil, nil, err
		}
		hashes = append(hashes, hash)
	}
	return old, hashes, signed, nil
}

func (w *witness) addCheckpoint(response http.ResponseWriter, request *http.Request) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	body, err := io.ReadAll(io.LimitReader(request.Body, 100_000))
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	old, hashes, signed, err := parse(body)
	if err != nil {
		http.Error(response, err.Error(), http.StatusBadRequest)
		return
	}
	if origin, _, _ := bytes.Cut(signed, []byte("\n")); string(origin) != w.log.Name() {
		http.Error(response, "another log", http.StatusNotFound)
		return
	}
	checkpoint, _, opened, err := log.ParseCheckpoint(signed, w.log.Name(), w.log)
	if err != nil {
		http.Error(response, err.Error(), http.StatusForbidden)
		return
	}
	if old > checkpoint.Size {
		http.Error(response, "the old size is larger", http.StatusBadRequest)
		return
	}
	size, root := w.last()
	if old != size {
		response.Header().Set("Content-Type", "text/x.tlog.size")
		response.WriteHeader(http.StatusConflict)
		fmt.Fprintf(response, "%d\n", size)
		return
	}
	if err := w.verify(size, root, checkpoint, hashes); err != nil {
		http.Error(response, err.Error(), http.StatusUnprocessableEntity)
		return
	}
	cosigned, err := note.Sign(&note.Note{Text: opened.Text}, w.signer)
	if err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	if err := os.WriteFile(w.state, signed, 0o600); err != nil {
		http.Error(response, err.Error(), http.StatusInternalServerError)
		return
	}
	response.Write(cosigned[len(opened.Text)+1:])
}

func (w *witness) verify(size uint64, root []byte, checkpoint *log.Checkpoint, hashes [][]byte) error {
	if size == 0 {
		if len(hashes) != 0 {
			return fmt.Errorf("a proof from nothing is empty")
		}
		return nil
	}
	return proof.VerifyConsistency(rfc6962.DefaultHasher, size, checkpoint.Size, hashes, root, checkpoint.Hash)
}

func serve(dir, logKey, address string) {
	verifier, err := note.NewVerifier(logKey)
	if err != nil {
		fail(err)
	}
	signer, err := f_note.NewSignerForCosignatureV1(read(filepath.Join(dir, "key")))
	if err != nil {
		fail(err)
	}
	w := &witness{state: filepath.Join(dir, "state"), log: verifier, signer: signer}
	http.HandleFunc("POST /add-checkpoint", w.addCheckpoint)
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fail(err)
	}
	fmt.Println("listening on", listener.Addr())
	fail(http.Serve(listener, nil))
}

func check(dir, logKey, file string) {
	logVerifier, err := note.NewVerifier(logKey)
	if err != nil {
		fail(err)
	}
	witnessVerifier, err := f_note.NewVerifierForCosignatureV1(read(filepath.Join(dir, "vkey")))
	if err != nil {
		fail(err)
	}
	bytes, err := os.ReadFile(file)
	if err != nil {
		fail(err)
	}
	opened, err := note.Open(bytes, note.VerifierList(logVerifier, witnessVerifier))
	if err != nil {
		fail(err)
	}
	if len(opened.Sigs) != 2 {
		fail(fmt.Errorf("%d known signatures", len(opened.Sigs)))
	}
	fmt.Println("signed and cosigned")
}

func main() {
	switch {
	case len(os.Args) == 4 && os.Args[1] == "keys":
		makeKeys(os.Args[2], os.Args[3])
	case len(os.Args) == 5 && os.Args[1] == "serve":
		serve(os.Args[2], os.Args[3], os.Args[4])
	case len(os.Args) == 5 && os.Args[1] == "check":
		check(os.Args[2], os.Args[3], os.Args[4])
	default:
		fail(fmt.Errorf("usage: witness keys NAME DIR | serve DIR LOG-VKEY ADDR | check DIR LOG-VKEY FILE"))
	}
}
