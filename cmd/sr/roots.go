package main

// These certificate authorities are trusted where the system names none, as in the image. SSL_CERT_FILE goes before them.
import _ "golang.org/x/crypto/x509roots/fallback"
