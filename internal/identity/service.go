package identity

import (
	"context"
	"crypto/rand"
	"errors"
	"sync/atomic"
	"time"

	"golang.org/x/sync/singleflight"

	"gatehouse/internal/clock"
	"gatehouse/internal/fault"
	"gatehouse/internal/sqldb"
)

// The signals that this package sends and listens to. Whoever changes users
// (password, active, groups) or profiles in a transaction signals
// UsersChanged; keys, KeysChanged; OAuth2 clients, ClientsChanged. Caches then hold nothing older.
const (
	UsersChanged       = "users"
	KeysChanged        = "keys"
	ClientsChanged     = "clients"
	tokensChanged      = "tokens"
	signingKeysChanged = "signing_keys"
)

// Options tune a Service. The zero value is a good choice.
type Options struct {
	// Clock is the system's unless a test brings its own.
	Clock clock.Clock
	// Passwords does the hashing; nil makes one. Share it with whoever else hashes.
	Passwords *Passwords
	// Resources are the curated resources. When any are named, new keys may not
	// have scopes of others.
	Resources []string
	// Algorithm is what new tokens are signed with: HS256, EdDSA or ES256. "" is
	// that of the last key, which in a new store is HS256.
	Algorithm string
	// Directory is an Odoo whose users may call too; nil: there is none.
	Directory Directory
	// CacheSize bounds each cache of credentials; 0 is 4096.
	CacheSize int
}

// Service identifies callers, and issues and revokes their credentials. Safe
// for concurrent use. What it has identified once it knows from memory until
// that changes, on any node.
type Service struct {
	db        sqldb.DB
	users     Users
	clock     clock.Clock
	passwords *Passwords
	resources []string
	algorithm string // "": that of the last key
	directory Directory
	// Slots to ask the directory: keys do not wait behind passwords, which take longer.
	loginAsks, keyAsks chan struct{}

	// Generations: they count the changes of which others may hold old copies.
	usersGen, keysGen, clientsGen atomic.Uint64

	accounts *lru[int64, *account]
	tokens   *lru[digest, *tokenEntry]
	sessions *lru[digest, *tokenEntry] // web sessions, apart from tokens: none is a bearer
	proofs   *lru[digest, *proved]
	pepper   [32]byte // of the proofs, so that they say nothing outside of this process
	keys     *lru[digest, *keyEntry]
	clients  *lru[string, *Client]
	userKeys *lru[digest, *userKeyEntry]
	// Apart from the good ones, so that guessing does not push them out.
	wrongKeys *lru[digest, wrongKey]
	odooKeys  *lru[digest, *odooKey] // by the key alone
	denied    *lru[int64, time.Time] // when the Odoo last refused a user
	loads     singleflight.Group

	signing   signing
	revoked   revocations
	attempts  *attempts
	guesses   *guesses
	keyHashes *Passwords
	usage     usage

	reload chan struct{} // capacity 1: signing keys or revocations changed
	stop   func()
	done   chan struct{}
}

// flushEvery is how often the use of keys is written.
const flushEvery = 3 * time.Second

// New starts a Service on a database that has the tables of Models. It makes
// the first signing key, if there is none. Close it.
func New(ctx context.Context, db sqldb.DB, users Users, o Options) (*Service, error) {
	if o.Clock == nil {
		o.Clock = clock.System
	}
	if o.Passwords == nil {
		o.Passwords = NewPasswords(0)
	}
	if o.CacheSize <= 0 {
		o.CacheSize = 4096
	}
	s := &Service{
		db: db, users: users, clock: o.Clock, passwords: o.Passwords, resources: o.Resources, algorithm: o.Algorithm,
		directory: o.Directory, loginAsks: make(chan struct{}, maxAsks), keyAsks: make(chan struct{}, maxAsks),
		accounts: newLRU[int64, *account](o.CacheSize),
		tokens:   newLRU[digest, *tokenEntry](o.CacheSize),
		sessions: newLRU[digest, *tokenEntry](o.CacheSize),
		proofs:   newLRU[digest, *proved](o.CacheSize),
		keys:     newLRU[digest, *keyEntry](o.CacheSize),
		clients:  newLRU[string, *Client](o.CacheSize),
		userKeys: newLRU[digest, *userKeyEntry](o.CacheSize), wrongKeys: newLRU[digest, wrongKey](o.CacheSize),
		odooKeys: newLRU[digest, *odooKey](o.CacheSize), denied: newLRU[int64, time.Time](o.CacheSize),
		attempts: newAttempts(), guesses: newGuesses(), keyHashes: newKeyHashes(),
		reload: make(chan struct{}, 1),
		done:   make(chan struct{}),
	}
	_, _ = rand.Read(s.pepper[:]) // never fails
	if err := s.createSigningKeys(ctx); err != nil {
		return nil, err
	}
	stopWatch := db.Watch(s.changed) // before the first load, so that no change falls between
	err := s.load(ctx)
	if err == nil {
		err = s.chooseAlgorithm(ctx)
	}
	if err != nil {
		stopWatch()
		return nil, err
	}
	if sampler, ok := users.(interface {
		sampleHash(context.Context) (string, error)
	}); ok {
		hash, err := sampler.sampleHash(ctx)
		if err != nil {
			stopWatch()
			return nil, storeFault(err, "look at the users")
		}
		s.passwords.Expect(hash)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = func() { stopWatch(); cancel() }
	go s.work(ctx)
	return s, nil
}

// Close stops the work in the background and writes what is known about the
// use of keys.
func (s *Service) Close(ctx context.Context) error {
	s.stop()
	<-s.done
	return s.flushUsage(ctx)
}

// Passwords is where passwords are hashed and checked, for those who set them.
func (s *Service) Passwords() *Passwords { return s.passwords }

// Resources are the curated resources that keys may have scopes of; none: any.
func (s *Service) Resources() []string { return s.resources }

// changed takes a signal. It only counts and pokes: listeners must be quick.
func (s *Service) changed(channel string) {
	switch channel {
	case UsersChanged:
		s.usersGen.Add(1)
	case KeysChanged:
		s.keysGen.Add(1)
	case ClientsChanged:
		s.clientsGen.Add(1)
	case tokensChanged, signingKeysChanged:
		s.poke()
	case "": // the connection was lost: anything may have changed
		s.usersGen.Add(1)
		s.keysGen.Add(1)
		s.clientsGen.Add(1)
		s.poke()
	}
}

func (s *Service) poke() {
	select {
	case s.reload <- struct{}{}:
	default: // one is due already
	}
}

// load takes over the signing keys and the revocations of the store.
func (s *Service) load(ctx context.Context) error {
	if err := s.signing.load(ctx, s.db, s.clock.Now()); err != nil {
		return err
	}
	return s.revoked.load(ctx, s.db, s.clock.Now())
}

// work follows changes and writes the use of keys, until ctx ends. While the
// store is away it tries again every half second.
func (s *Service) work(ctx context.Context) {
	defer close(s.done)
	flush := time.NewTicker(flushEvery)
	defer flush.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.reload:
			for s.load(ctx) != nil {
				select {
				case <-ctx.Done():
					return
				case <-time.After(500 * time.Millisecond):
				}
			}
		case <-flush.C:
			_ = s.flushUsage(ctx) // kept and tried again at the next tick
		}
	}
}

// storeFault makes a fault of an error of the store: Unavailable when it
// cannot be reached, else Internal.
func storeFault(err error, what string) error {
	if errors.Is(err, sqldb.ErrUnavailable) {
		return &fault.Error{
			Kind: fault.Unavailable, Message: "The store cannot be reached right now",
			RetryAfter: time.Second, Cause: err,
		}
	}
	return fault.Wrap(err, what)
}
