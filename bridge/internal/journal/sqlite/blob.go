package sqlite

import "context"

// SealBlob seals a piece of a file that lies outside the journal under its
// conversation's key, tied to the name row: without that key, which Erase
// destroys, nobody can read it. journal.ErrErased and journal.ErrNotFound say
// that there is no key.
func (j *Journal) SealBlob(ctx context.Context, conversation, row string, plain []byte) ([]byte, error) {
	key, err := j.key(ctx, conversation)
	if err != nil {
		return nil, err
	}
	return blobPlace(conversation, row).seal(key, plain), nil
}

// OpenBlob opens what SealBlob sealed with the same conversation and row;
// journal.ErrDamaged says it is not that.
func (j *Journal) OpenBlob(ctx context.Context, conversation, row string, sealed []byte) ([]byte, error) {
	key, err := j.key(ctx, conversation)
	if err != nil {
		return nil, err
	}
	return blobPlace(conversation, row).unseal(key, sealed)
}

func blobPlace(conversation, row string) place { return place{"blobs", row, []string{conversation}} }
