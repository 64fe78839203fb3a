package test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/secretreview/secretreview/internal/naming"
)

const (
	getValue   = "secretsmanager:GetSecretValue"
	describe   = "secretsmanager:DescribeSecret"
	create     = "secretsmanager:CreateSecret"
	tagIt      = "secretsmanager:TagResource"
	put        = "secretsmanager:PutSecretValue"
	moveLabel  = "secretsmanager:UpdateSecretVersionStage"
	remove     = "secretsmanager:DeleteSecret"
	restore    = "secretsmanager:RestoreSecret"
	list       = "secretsmanager:ListSecrets"
	decrypt    = "kms:Decrypt"
	encrypt    = "kms:GenerateDataKey"
	assumeWeb  = "sts:AssumeRoleWithWebIdentity"
	assumeRole = "sts:AssumeRole"
)

// keys of a request's context.
type context = map[string]any

func join(parts ...context) context {
	all := context{}
	for _, part := range parts {
		maps.Copy(all, part)
	}
	return all
}

func without(from context, keys ...string) context {
	rest := maps.Clone(from)
	for _, key := range keys {
		delete(rest, key)
	}
	return rest
}

func resourceTags(tags map[string]string) context {
	all := context{}
	for key, value := range tags {
		all["aws:ResourceTag/"+key] = value
	}
	return all
}

func requestTags(tags map[string]string) context {
	all := context{"aws:TagKeys": slices.Sorted(maps.Keys(tags))}
	for key, value := range tags {
		all["aws:RequestTag/"+key] = value
	}
	return all
}

func stagedTags(project, cluster string) map[string]string {
	return naming.StagedTags{Cluster: cluster, Namespace: "backend", Project: project, Environment: "production", Change: "change"}.Map()
}

func changed(tags map[string]string, key, value string) map[string]string {
	other := maps.Clone(tags)
	if other[key] = value; value == "" {
		delete(other, key)
	}
	return other
}

func owned(by string) context { return resourceTags(map[string]string{naming.TagOwner: by}) }

func secretID(arn string) context { return context{"secretsmanager:SecretId": arn} }

// using is the context of a key that Secrets Manager uses for somebody.
func using(region, secret string) context {
	return context{"kms:ViaService": "secretsmanager." + region + ".amazonaws.com", "kms:EncryptionContext:SecretARN": secret}
}

func secretARN(region, account, name string) string {
	return fmt.Sprintf("arn:aws:secretsmanager:%s:%s:secret:%s", region, account, name)
}

// row is one question to IAM.
type row struct {
	who    principal
	action string
	on     string
	with   context
	want   bool
	// through is the word in the ID of a VPC endpoint that the request passes.
	through string
}

func TestPoliciesAllowWhatIsNeededAndNoAttack(t *testing.T) {
	d := deploy(t)
	var (
		region, account = d.place.Region, d.place.Account
		live            = d.arn(t, "AWS::SecretsManager::Secret", "BackendApiProduction")
		shop            = d.arn(t, "AWS::SecretsManager::Secret", "ShopProduction")
		atStaging       = d.arn(t, "AWS::SecretsManager::Secret", "BackendApiStaging")
		copied          = secretARN(d.there.Region, account, "secret-review/backend-api/production-AbCdEf")
		newStaged       = secretARN(region, account, "secret-review/pending/backend-api/change")
		staged          = newStaged + "-AbCdEf"
		shopStaged      = secretARN(region, account, "secret-review/pending/shop/change-AbCdEf")
		elsewhere       = secretARN(region, account, "billing/database-AbCdEf")
		foreignAccount  = secretARN(region, "999900001111", "secret-review/backend-api/production-AbCdEf")
		key             = d.key(t)
		otherKey        = "arn:aws:kms:" + region + ":" + account + ":key/of-somebody"
		replicaKey      = d.replicaKey(t)

		manager  = d.role(t, "ControllerRoleProduction")
		staging  = d.role(t, "ControllerRoleStaging")
		proposer = d.person(t, "backend-developers")
		reviewer = d.person(t, "backend-leads")
		shopper  = d.person(t, "shop-developers")
		nobody   = stranger(account)
		app      = d.role(t, "Application")
		standby  = d.role(t, "Standby")
		reader   = d.consumer(t, "444455556666")
		other    = d.consumer(t, "999900001111")

		mine      = owned("production/backend")
		tags      = stagedTags("backend-api", "production")
		isStaged  = resourceTags(tags)
		withKey   = context{"secretsmanager:KmsKeyArn": key}
		creating  = join(requestTags(tags), withKey)
		oidc      = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
		issuer    = "oidc.eks.eu-central-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
		token     = context{issuer + ":aud": "sts.amazonaws.com", issuer + ":sub": "system:serviceaccount:secretreview-system:secretreview-manager"}
		pods      = principal{arn: "pods.eks.amazonaws.com", policies: []any{}}
		provider  = principal{arn: oidc, policies: []any{}}
		inCluster = context{
			"aws:SourceAccount": account, "aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-central-1:111122223333:cluster/staging",
			"aws:RequestTag/kubernetes-namespace": "secretreview-system", "aws:RequestTag/kubernetes-service-account": "secretreview-manager",
		}
		ofAccount  = context{"aws:PrincipalAccount": account}
		everywhere = "*"
	)
	rows := map[string]row{
		// The manager, at its work.
		"the manager lists":                                   {manager, list, everywhere, nil, true, ""},
		"the manager describes a live secret":                 {manager, describe, live, join(mine, secretID(live)), true, ""},
		"the manager describes a secret whose it cannot know": {manager, describe, secretARN(region, account, "secret-review/new/dev"), nil, true, ""},
		"the manager reads a live secret":                     {manager, getValue, live, join(mine, secretID(live)), true, ""},
		"the manager puts a version":                          {manager, put, live, join(mine, secretID(live)), true, ""},
		"the manager moves the live label":                    {manager, moveLabel, live, join(mine, secretID(live), context{"secretsmanager:VersionStage": "AWSCURRENT"}), true, ""},
		"the manager describes what is staged":                {manager, describe, staged, isStaged, true, ""},
		"the manager reads what is staged":                    {manager, getValue, staged, join(isStaged, secretID(staged)), true, ""},
		"the manager learns that what was staged is gone":     {manager, getValue, staged, secretID(staged), true, ""},
		"the manager deletes what is staged":                  {manager, remove, staged, join(isStaged, secretID(staged)), true, ""},
		"the manager takes an orphan back":                    {manager, restore, staged, join(isStaged, secretID(staged)), true, ""},
		"the manager decrypts what is live":                   {manager, decrypt, key, using(region, live), true, ""},
		"the manager decrypts what is staged":                 {manager, decrypt, key, using(region, staged), true, ""},
		"the manager encrypts what is live":                   {manager, encrypt, key, using(region, live), true, ""},
		"the other manager serves its own environment":        {staging, put, atStaging, owned("staging/backend"), true, ""},
		"the manager's ServiceAccount takes the role by IRSA": {provider, assumeWeb, manager.arn, token, true, ""},
		"the manager's pod takes the role by Pod Identity":    {pods, assumeRole, staging.arn, inCluster, true, ""},

		// Attacks through a manager, or on its role.
		"the manager writes another cluster's secret":                  {manager, put, atStaging, owned("staging/backend"), false, ""},
		"the manager reads another cluster's secret":                   {manager, getValue, atStaging, owned("staging/backend"), false, ""},
		"the manager moves a label of another cluster's secret":        {manager, moveLabel, atStaging, owned("staging/backend"), false, ""},
		"the manager writes a secret without an owner":                 {manager, put, live, nil, false, ""},
		"the manager writes a secret of a cluster called alike":        {manager, put, live, owned("production-2/backend"), false, ""},
		"the manager writes a secret of a cluster named below its own": {manager, put, live, owned("production/eu/backend"), false, ""},
		"the manager writes what is staged":                            {manager, put, staged, isStaged, false, ""},
		"the manager writes what is staged and bears an owner tag":     {manager, put, staged, join(isStaged, mine), false, ""},
		"the manager moves a label of what is staged":                  {manager, moveLabel, staged, join(isStaged, mine), false, ""},
		"the manager deletes a live secret":                            {manager, remove, live, mine, false, ""},
		"the manager deletes a live secret tagged as staged":           {manager, remove, live, join(mine, isStaged), false, ""},
		"the manager deletes under the staging path what has no tags":  {manager, remove, staged, nil, false, ""},
		"the manager deletes what another cluster staged":              {manager, remove, staged, resourceTags(stagedTags("backend-api", "staging")), false, ""},
		"the manager reads what another cluster staged":                {manager, getValue, staged, resourceTags(stagedTags("backend-api", "staging")), false, ""},
		"the manager makes a secret":                                   {manager, create, newStaged, creating, false, ""},
		"the manager makes itself an owner":                            {manager, tagIt, atStaging, requestTags(map[string]string{naming.TagOwner: "production/backend"}), false, ""},
		"the manager takes a tag off":                                  {manager, "secretsmanager:UntagResource", live, mine, false, ""},
		"the manager changes a secret's key":                           {manager, "secretsmanager:UpdateSecret", live, mine, false, ""},
		"the manager opens a secret to others":                         {manager, "secretsmanager:PutResourcePolicy", live, mine, false, ""},
		"the manager rotates":                                          {manager, "secretsmanager:RotateSecret", live, mine, false, ""},
		"the manager reads a secret beyond the prefix":                 {manager, getValue, elsewhere, mine, false, ""},
		"the manager writes a replica":                                 {manager, put, copied, mine, false, ""},
		"the manager reads a replica":                                  {manager, getValue, copied, mine, false, ""},
		"the manager writes in another account":                        {manager, put, foreignAccount, mine, false, ""},
		"the manager uses the key itself":                              {manager, decrypt, key, context{"kms:EncryptionContext:SecretARN": live}, false, ""},
		"the manager uses the key through another service":             {manager, decrypt, key, context{"kms:ViaService": "s3." + region + ".amazonaws.com", "kms:EncryptionContext:SecretARN": live}, false, ""},
		"the manager uses the key for a secret beyond the prefix":      {manager, decrypt, key, using(region, elsewhere), false, ""},
		"the manager uses another key":                                 {manager, decrypt, otherKey, using(region, live), false, ""},
		"the manager uses the replica's key":                           {manager, decrypt, replicaKey, using(d.there.Region, copied), false, ""},
		"another ServiceAccount takes the role by IRSA":                {provider, assumeWeb, manager.arn, join(token, context{issuer + ":sub": "system:serviceaccount:secretreview-system:default"}), false, ""},
		"the ServiceAccount of another namespace takes the role":       {provider, assumeWeb, manager.arn, join(token, context{issuer + ":sub": "system:serviceaccount:team:secretreview-manager"}), false, ""},
		"a token for another audience takes the role":                  {provider, assumeWeb, manager.arn, join(token, context{issuer + ":aud": "vault"}), false, ""},
		"another cluster's issuer takes the role":                      {principal{oidc[:len(oidc)-1] + "0", []any{}}, assumeWeb, manager.arn, token, false, ""},
		"a pod of another namespace takes the role":                    {pods, assumeRole, staging.arn, join(inCluster, context{"aws:RequestTag/kubernetes-namespace": "team"}), false, ""},
		"a pod of another ServiceAccount takes the role":               {pods, assumeRole, staging.arn, join(inCluster, context{"aws:RequestTag/kubernetes-service-account": "default"}), false, ""},
		"a pod of another cluster takes the role":                      {pods, assumeRole, staging.arn, join(inCluster, context{"aws:RequestTag/eks-cluster-arn": "arn:aws:eks:eu-central-1:111122223333:cluster/playground"}), false, ""},
		"Pod Identity of another account takes the role":               {pods, assumeRole, staging.arn, join(inCluster, context{"aws:SourceAccount": "999900001111"}), false, ""},
		"Pod Identity without session tags takes the role":             {pods, assumeRole, staging.arn, context{"aws:SourceAccount": account}, false, ""},
		"Pod Identity takes the role that is for IRSA":                 {pods, assumeRole, manager.arn, inCluster, false, ""},
		"a person takes the manager's role":                            {proposer, assumeRole, manager.arn, nil, false, ""},

		// A proposer, at their work.
		"a proposer reads what is live":                     {proposer, getValue, live, join(mine, secretID(live)), true, ""},
		"a proposer decrypts what is live":                  {proposer, decrypt, key, using(region, live), true, ""},
		"a proposer stages":                                 {proposer, create, newStaged, creating, true, ""},
		"a proposer stages, where IAM counts the new tags":  {proposer, create, newStaged, join(creating, isStaged), true, ""},
		"a proposer tags what they stage":                   {proposer, tagIt, newStaged, requestTags(tags), true, ""},
		"a proposer tags it, where IAM counts the new tags": {proposer, tagIt, newStaged, join(requestTags(tags), isStaged), true, ""},
		"a proposer encrypts what they stage":               {proposer, encrypt, key, using(region, staged), true, ""},
		"Secrets Manager tries the key for a proposer":      {proposer, encrypt, key, using(region, "RequestToValidateKeyAccess"), true, ""},
		"Secrets Manager tries to decrypt for a proposer":   {proposer, decrypt, key, using(region, "RequestToValidateKeyAccess"), true, ""},
		"a proposer reads what is to be rebased":            {proposer, getValue, staged, join(isStaged, secretID(staged)), true, ""},
		"a proposer looks whether staging came to be":       {proposer, describe, staged, join(isStaged, secretID(staged)), true, ""},
		"a proposer stages for the other environment":       {proposer, create, newStaged, join(requestTags(changed(changed(tags, naming.TagEnvironment, "staging"), naming.TagCluster, "staging")), withKey), true, ""},
		"a proposer of another project stages there":        {shopper, create, secretARN(region, account, "secret-review/pending/shop/change"), join(requestTags(changed(stagedTags("shop", "production"), naming.TagNamespace, "shop")), withKey), true, ""},

		"a proposer reads the stack's outputs": {proposer, "cloudformation:DescribeStacks", "arn:aws:cloudformation:eu-central-1:111122223333:stack/secretreview/1", nil, true, ""},

		// Attacks of a proposer.
		"a proposer reads another stack's outputs":          {proposer, "cloudformation:DescribeStacks", "arn:aws:cloudformation:eu-central-1:111122223333:stack/secretreview-2/1", nil, false, ""},
		"a proposer stages for another project":             {proposer, create, shopStaged, join(requestTags(stagedTags("shop", "production")), withKey), false, ""},
		"a proposer stages on another project's path":       {proposer, create, shopStaged, creating, false, ""},
		"a proposer stages with another project's tag":      {proposer, create, newStaged, join(requestTags(stagedTags("shop", "production")), withKey), false, ""},
		"a proposer stages without the staging tag":         {proposer, create, newStaged, join(requestTags(changed(tags, naming.TagStaging, "")), withKey), false, ""},
		"a proposer stages without a change's name":         {proposer, create, newStaged, join(requestTags(changed(tags, naming.TagChange, "")), withKey), false, ""},
		"a proposer stages without an end":                  {proposer, create, newStaged, join(requestTags(changed(tags, naming.TagKeepUntil, "")), withKey), false, ""},
		"a proposer stages without tags":                    {proposer, create, newStaged, withKey, false, ""},
		"a proposer stages with an owner tag":               {proposer, create, newStaged, join(requestTags(changed(tags, naming.TagOwner, "production/backend")), withKey), false, ""},
		"a proposer stages for another cluster":             {proposer, create, newStaged, join(requestTags(changed(tags, naming.TagCluster, "playground")), withKey), false, ""},
		"a proposer stages for another namespace":           {proposer, create, newStaged, join(requestTags(changed(tags, naming.TagNamespace, "shop")), withKey), false, ""},
		"a proposer stages for an environment that is none": {proposer, create, newStaged, join(requestTags(changed(tags, naming.TagEnvironment, "qa")), withKey), false, ""},
		"a proposer stages under another key":               {proposer, create, newStaged, join(creating, context{"secretsmanager:KmsKeyArn": otherKey}), false, ""},
		"a proposer stages under the account's default key": {proposer, create, newStaged, without(creating, "secretsmanager:KmsKeyArn"), false, ""},
		"a proposer stages in the replica's region":         {proposer, create, secretARN(d.there.Region, account, "secret-review/pending/backend-api/change"), creating, false, ""},
		"a proposer has a copy made in another region":      {proposer, "secretsmanager:ReplicateSecretToRegions", newStaged, nil, false, ""},
		"a proposer makes a live secret":                    {proposer, create, secretARN(region, account, "secret-review/backend-api/new"), creating, false, ""},
		"a proposer overwrites what is staged":              {proposer, put, staged, join(isStaged, secretID(staged)), false, ""},
		"a proposer updates what is staged":                 {proposer, "secretsmanager:UpdateSecret", staged, join(isStaged, secretID(staged)), false, ""},
		"a proposer moves a label of what is staged":        {proposer, moveLabel, staged, isStaged, false, ""},
		"a proposer deletes what is staged":                 {proposer, remove, staged, isStaged, false, ""},
		"a proposer restores what the manager deleted":      {proposer, restore, staged, isStaged, false, ""},
		"a proposer retags what is staged":                  {proposer, tagIt, staged, join(requestTags(tags), isStaged, secretID(staged)), false, ""},
		"a proposer tags what is there without tags":        {proposer, tagIt, staged, join(requestTags(tags), secretID(staged)), false, ""},
		"a proposer takes a tag off what is staged":         {proposer, "secretsmanager:UntagResource", staged, isStaged, false, ""},
		"a proposer reads what another project staged":      {proposer, getValue, shopStaged, resourceTags(stagedTags("shop", "production")), false, ""},
		"a proposer reads another project's live secret":    {proposer, getValue, shop, owned("production/shop"), false, ""},
		"a proposer writes a live secret":                   {proposer, put, live, mine, false, ""},
		"a proposer moves the live label":                   {proposer, moveLabel, live, mine, false, ""},
		"a proposer deletes a live secret":                  {proposer, remove, live, mine, false, ""},
		"a proposer tags a live secret":                     {proposer, tagIt, live, join(requestTags(tags), mine, secretID(live)), false, ""},
		"a proposer opens what is staged to others":         {proposer, "secretsmanager:PutResourcePolicy", staged, isStaged, false, ""},
		"a proposer lists":                                  {proposer, list, everywhere, nil, false, ""},
		"a proposer decrypts another project's secret":      {proposer, decrypt, key, using(region, shop), false, ""},
		"a proposer encrypts for a live secret":             {proposer, encrypt, key, using(region, live), false, ""},
		"a proposer uses the key itself":                    {proposer, decrypt, key, context{"kms:EncryptionContext:SecretARN": live}, false, ""},
		"a proposer changes the key's policy":               {proposer, "kms:PutKeyPolicy", key, nil, false, ""},

		// Reviewers, applications, strangers.
		"a reviewer reads what is staged":              {reviewer, getValue, staged, join(isStaged, secretID(staged)), true, ""},
		"a reviewer reads what is live":                {reviewer, getValue, live, mine, true, ""},
		"a reviewer decrypts what is staged":           {reviewer, decrypt, key, using(region, staged), true, ""},
		"a reviewer stages":                            {reviewer, create, newStaged, creating, false, ""},
		"a reviewer reads what another project staged": {reviewer, getValue, shopStaged, resourceTags(stagedTags("shop", "production")), false, ""},
		"a reviewer writes a live secret":              {reviewer, put, live, mine, false, ""},
		"a reviewer deletes what is staged":            {reviewer, remove, staged, isStaged, false, ""},
		"a reviewer encrypts":                          {reviewer, encrypt, key, using(region, staged), false, ""},
		"an application reads its secret":              {app, getValue, live, mine, true, ""},
		"an application decrypts its secret":           {app, decrypt, key, using(region, live), true, ""},
		"an application reads another environment":     {app, getValue, atStaging, nil, false, ""},
		"an application reads its secret's replica":    {app, getValue, copied, mine, false, ""},
		"an application writes its secret":             {app, put, live, mine, false, ""},
		"a standby reads its replica":                  {standby, getValue, copied, mine, true, ""},
		"a standby decrypts its replica":               {standby, decrypt, replicaKey, join(using(d.there.Region, copied), context{"kms:ResourceAliases": []string{"alias/secret-review"}}), true, ""},
		"a standby reads the primary":                  {standby, getValue, live, mine, false, ""},
		"a standby uses another key of the region":     {standby, decrypt, "arn:aws:kms:eu-west-1:111122223333:key/of-somebody", join(using(d.there.Region, copied), context{"kms:ResourceAliases": []string{"alias/other"}}), false, ""},
		"somebody without rights reads a live secret":  {nobody, getValue, live, mine, false, ""},
		"somebody without rights decrypts":             {nobody, decrypt, key, using(region, live), false, ""},

		// Other accounts.
		"the account that is named reads the secret":          {reader, getValue, live, mine, true, ""},
		"the account that is named decrypts it":               {reader, decrypt, key, using(region, live), true, ""},
		"the account that is named reads another environment": {reader, getValue, atStaging, nil, false, ""},
		"the account that is named writes the secret":         {reader, put, live, mine, false, ""},
		"the account that is named uses the key itself":       {reader, decrypt, key, context{"kms:EncryptionContext:SecretARN": live}, false, ""},
		"the account that is named decrypts another secret":   {reader, decrypt, key, using(region, shop), false, ""},
		"the account that is named encrypts":                  {reader, encrypt, key, using(region, live), false, ""},
		"a role there without rights of its own reads":        {stranger("444455556666"), getValue, live, mine, false, ""},
		"another account reads the secret":                    {other, getValue, live, mine, false, ""},
		"another account decrypts it":                         {other, decrypt, key, using(region, live), false, ""},

		// Through the VPC's endpoints.
		"the manager writes through the endpoint":                 {manager, put, live, join(mine, ofAccount), true, "SecretsManagerEndpoint"},
		"a proposer stages through the endpoint":                  {proposer, create, newStaged, join(creating, ofAccount), true, "SecretsManagerEndpoint"},
		"another account's credentials pass the endpoint":         {reader, getValue, live, join(mine, context{"aws:PrincipalAccount": "444455556666"}), false, "SecretsManagerEndpoint"},
		"a secret beyond the prefix is read through the endpoint": {principal{"arn:aws:iam::111122223333:role/admin", []any{anything}}, getValue, elsewhere, ofAccount, false, "SecretsManagerEndpoint"},
		"an administrator rotates through the endpoint":           {principal{"arn:aws:iam::111122223333:role/admin", []any{anything}}, "secretsmanager:RotateSecret", live, ofAccount, false, "SecretsManagerEndpoint"},
		"an administrator takes a role through the endpoint":      {principal{"arn:aws:iam::111122223333:role/admin", []any{anything}}, assumeRole, "arn:aws:iam::111122223333:role/other", ofAccount, false, "StsEndpoint"},
		"an administrator uses another key through the endpoint":  {principal{"arn:aws:iam::111122223333:role/admin", []any{anything}}, decrypt, otherKey, ofAccount, false, "KmsEndpoint"},
		"an administrator uses the key through the endpoint":      {principal{"arn:aws:iam::111122223333:role/admin", []any{anything}}, decrypt, key, ofAccount, true, "KmsEndpoint"},
	}
	names := slices.Sorted(maps.Keys(rows))
	var requests []request
	attacks := 0
	for _, name := range names {
		r := rows[name]
		asked := d.ask(t, r.who, r.action, r.on, r.with)
		if r.through != "" {
			asked.EndpointPolicy = d.endpointPolicy(t, r.through)
		}
		requests = append(requests, asked)
		if !r.want {
			attacks++
		}
	}
	for i, got := range allowed(t, requests) {
		if r := rows[names[i]]; got != r.want {
			t.Errorf("%s: %s on %s: allowed is %t, want %t", names[i], r.action, r.on, got, r.want)
		}
	}
	fmt.Printf("\nREPORT: infra/cdk: the IAM policy simulator answered %d questions as expected, %d of them attacks\n", len(rows), attacks)
}

// anything is an administrator's policy.
var anything = map[string]any{"Version": "2012-10-17", "Statement": []any{map[string]any{"Effect": "Allow", "Action": "*", "Resource": "*"}}}
