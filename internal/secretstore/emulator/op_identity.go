package emulator

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"net/url"
	"slices"
	"strings"
	"time"
)

type callerIdentity struct {
	XMLName xml.Name `xml:"GetCallerIdentityResult"`
	Arn     string
	UserId  string
	Account string
}

func getCallerIdentity(r *request, _ url.Values) (any, error) {
	return &callerIdentity{Arn: r.principal.ARN, UserId: r.principal.AccessKeyID, Account: r.e.account}, nil
}

const (
	// sessionTime is how long a session's credentials are said to be good.
	sessionTime = time.Hour
	// tokenAudience is what EKS and its IAM OIDC providers ask for.
	tokenAudience = "sts.amazonaws.com"
)

type webIdentitySession struct {
	XMLName                     xml.Name `xml:"AssumeRoleWithWebIdentityResult"`
	SubjectFromWebIdentityToken string
	Audience                    string
	AssumedRoleUser             struct{ Arn, AssumedRoleId string }
	Credentials                 struct{ AccessKeyId, SecretAccessKey, SessionToken, Expiration string }
}

// assumeRoleWithWebIdentity answers with the access key of the principal that has
// the role's ARN, if the token's subject may take it on. As a signature of a
// request, that of the token is not checked, nor is its age.
func assumeRoleWithWebIdentity(r *request, form url.Values) (any, error) {
	subject, audiences, ok := readToken(form.Get("WebIdentityToken"))
	if !ok {
		return nil, failure("InvalidIdentityToken", "The ID Token provided is not a valid JWT. (You may see this error if you sent an Access Token)")
	}
	if !slices.Contains(audiences, tokenAudience) {
		return nil, failure("InvalidIdentityToken", "Incorrect token audience")
	}
	role := form.Get("RoleArn")
	for _, p := range r.e.principals {
		if p.ARN != role || p.WebIdentity == "" || !glob(p.WebIdentity, subject) {
			continue
		}
		session := &webIdentitySession{SubjectFromWebIdentityToken: subject, Audience: tokenAudience}
		session.AssumedRoleUser.Arn = role + "/" + form.Get("RoleSessionName")
		session.AssumedRoleUser.AssumedRoleId = p.AccessKeyID + ":" + form.Get("RoleSessionName")
		session.Credentials.AccessKeyId = p.AccessKeyID
		session.Credentials.SecretAccessKey, session.Credentials.SessionToken = "not-a-secret", "not-a-secret"
		session.Credentials.Expiration = r.now.Add(sessionTime).Format(time.RFC3339)
		return session, nil
	}
	return nil, frontEndFailure("AccessDeniedException", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
}

// readToken reads whom a JSON Web Token is about and whom it is for.
func readToken(token string) (subject string, audiences []string, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", nil, false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", nil, false
	}
	var claims struct {
		Subject   string   `json:"sub"`
		Audiences []string `json:"aud"`
	}
	if err := json.Unmarshal(payload, &claims); err != nil {
		return "", nil, false
	}
	return claims.Subject, claims.Audiences, claims.Subject != ""
}
