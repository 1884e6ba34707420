#!/usr/bin/env bash
# The worked example over HTTP: 5000 dhs paid in, a lead of 600, 60 reserved, validated, 18 for the partner.
# Prints each request and its answer. Needs curl, openssl and python3 with PyJWT; and of the server's environment
# APP_JWT_SECRET and STRIPE_WEBHOOK_SECRET.
set -euo pipefail
cd "$(dirname "$0")"

base="${BASE:-http://127.0.0.1:8000}"
python="${PYTHON:-python3}"
: "${APP_JWT_SECRET:?the server\'s}" "${STRIPE_WEBHOOK_SECRET:?the server\'s}"

uuid() { "$python" -c 'import uuid; print(uuid.uuid4())'; }
merchant="$(uuid)"
partner="$(uuid)"
as_merchant="$("$python" -m app.token merchant "$merchant")"
as_partner="$("$python" -m app.token partner "$partner")"
answer=""

# call METHOD PATH [BODY] [HEADER..]: leaves the answer's body in $answer.
call() {
    local method="$1" path="$2" body="${3:-}" header headers=()
    shift $(($# < 3 ? $# : 3))
    for header in "$@"; do headers+=(--header "$header"); done
    if [ -n "$body" ]; then headers+=(--header 'Content-Type: application/json' --data-binary "$body"); fi
    answer="$(curl --silent --show-error --max-time 30 --request "$method" "${headers[@]}" \
        --write-out '\n%{http_code}' "$base$path")"
    local status="${answer##*$'\n'}"
    answer="${answer%$'\n'*}"
    printf '> %s %s %s\n< %s %s\n\n' "$method" "$path" "$body" "$status" "$answer"
}
field() { printf '%s' "$answer" | "$python" -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }
merchant_calls() { call "$1" "$2" "${3:-}" "Authorization: Bearer $as_merchant" "${@:4}"; }
partner_calls() { call "$1" "$2" "${3:-}" "Authorization: Bearer $as_partner" "${@:4}"; }
# stripe_calls BODY [SECRET]: signed as Stripe signs.
stripe_calls() {
    local now signature
    now="$(date +%s)"
    signature="$(printf '%s.%s' "$now" "$1" |
        openssl dgst -sha256 -hmac "${2:-$STRIPE_WEBHOOK_SECRET}" | sed 's/^.* //')"
    call POST /webhooks/stripe "$1" "Stripe-Signature: t=$now,v1=$signature"
}

echo "# The merchant registers a campaign and asks to pay 5000 dhs in."
merchant_calls POST /api/campaigns '{}'
campaign="$(field id)"
merchant_calls POST /api/leads/deposits/recharge '{"amount": "5000.00", "payment_method": "stripe"}' \
    'Idempotency-Key: pay-1'
top_up="$(field id)"

echo "# Stripe says that it was paid: the deposit is opened."
metadata='{"type": "deposit_recharge", "merchant_id": "'"$merchant"'", "top_up_id": "'"$top_up"'"}'
intent='{"id": "pi_'"$top_up"'", "object": "payment_intent", "amount": 500000, "amount_received": 500000,
  "currency": "mad", "metadata": '"$metadata"'}'
paid='{"id": "evt_1", "object": "event", "type": "payment_intent.succeeded", "data": {"object": '"$intent"'}}'
stripe_calls "$paid"
merchant_calls GET /api/leads/deposits/balance

echo "# A partner sees what a lead of 600 dhs would bring, and brings it: 60 dhs are reserved."
partner_calls POST /api/leads/preview-commission '{"estimated_value": "600.00", "campaign_id": "'"$campaign"'"}'
partner_calls POST /api/leads '{"campaign_id": "'"$campaign"'", "estimated_value": "600.00", "source": "instagram",
  "customer_name": "Mohamed Bennani", "customer_email": "mohamed@example.com", "customer_phone": "+212 6 12 34 56 78"}' \
    'Idempotency-Key: form-1'
lead="$(field id)"
merchant_calls GET /api/leads/deposits/balance

echo "# The merchant validates it, 8 of 10: 60 dhs are taken, 18 of them for the partner."
merchant_calls POST "/api/leads/$lead/validate" '{"quality_score": 8}'
merchant_calls GET /api/leads/deposits/balance
partner_calls GET /api/leads/stats
merchant_calls GET /api/leads/my-leads
merchant_calls GET /api/leads/deposits/history

echo "# The same payment again changes nothing; a forged one is refused; so is a second validation."
stripe_calls "$paid"
stripe_calls "$paid" 'whsec_somebody_else'
merchant_calls POST "/api/leads/$lead/validate" '{"quality_score": 9}'

echo "# What the merchant sees of it all."
merchant_calls GET /api/leads/stats
