package webhook

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"strconv"
	"strings"
	"time"
)

// secretPrefix and secretBytes are those of Standard Webhooks.
const (
	secretPrefix = "whsec_"
	secretBytes  = 32
)

// Overlap is how long the secret before the last rotation signs too.
const Overlap = 24 * time.Hour

// NewSecret draws the secret of a webhook.
func NewSecret() string {
	b := make([]byte, secretBytes)
	_, _ = rand.Read(b) // never fails: it aborts the program instead
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// signature is the webhook-signature header of Standard Webhooks: one signature
// by each secret, the newest first.
func signature(secrets []string, id string, at time.Time, body []byte) (string, error) {
	var all []string
	for _, secret := range secrets {
		key, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(secret, secretPrefix))
		if err != nil || len(key) == 0 {
			return "", errors.New("the secret of the webhook cannot be read; rotate it")
		}
		mac := hmac.New(sha256.New, key)
		_, _ = mac.Write([]byte(id + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		_, _ = mac.Write(body)
		all = append(all, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(all, " "), nil
}
