package sqldb

// LikeCase is a case of TestLikeMatcher, for the test of both databases.
type LikeCase struct {
	Text, Pattern string
	Fold, Want    bool
}

// LikeCases gives them all.
func LikeCases() []LikeCase {
	var all []LikeCase
	for _, c := range likeCases {
		all = append(all, LikeCase{c.text, c.pattern, c.fold, c.want})
	}
	return all
}
