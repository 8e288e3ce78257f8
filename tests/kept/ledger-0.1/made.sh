# The commands of version 0.1.0 that made this folder, once; it is never made again.
#   sh made.sh FOLDER      makes FOLDER/ledger, FOLDER/programs.note and FOLDER/tranches.note
# All people are invented. The officers' keys follow from a sentence that everybody can read: they guard nothing.
set -e
cd "$1"
export SALUR_STORE=ledger SALUR_KEYS="$PWD/keys" NO_COLOR=1
salur init --name "Kept by 0.1"
python - <<'KEYS'
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ledger.application import Ledger

folder = Path("keys") / Ledger(Path("ledger")).fingerprint[:16]
folder.mkdir(parents=True)
for officer in ("sari", "budi", "tari", "budi-2"):
    key = Ed25519PrivateKey.from_private_bytes(sha256(f"a key that guards nothing: {officer}".encode()).digest())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{officer}.pem").write_bytes(pem)
KEYS
on() { day=$1; shift; salur "$@" --effective-on "2020-$day"; }
refused() { "$@" && exit 1 || test $? -eq 3; }

# Officers; one with another key later, one who leaves
on 01-02 officer enroll sari --role maker
on 01-02 officer enroll budi --role checker --officer sari
on 01-02 officer enroll tari --role maker --role checker --officer sari
SECOND=$(salur officer key budi-2)
on 01-03 officer replace-key budi --public-key "$SECOND" --reason "a new machine" --officer sari
mv keys/*/budi-2.pem "$(echo keys/*)/budi.pem"
export SALUR_OFFICER=sari

# Programs; one is closed with its budget unspent
on 01-06 program open all --name "All relief" --kind umbrella --fiscal-year 2020
on 01-06 program open aid --name "Village aid" --kind cash --parent all --ceiling 1200000 --tranche 600000 --tranche 600000 --fiscal-year 2020 --category worker
on 01-06 program budget aid 9000000
on 01-07 program budget aid 6000000
on 01-06 program open tkm --name "Independent workers" --kind group-grant --parent all --ceiling 40000000 --fiscal-year 2020 --report-due-days 60
on 01-06 program budget tkm 80000000
on 01-06 program open course --name "Courses" --kind training --parent all --fiscal-year 2020
on 01-06 program open pilot --name "Pilot" --kind cash --tranche 50000 --fiscal-year 2020
on 01-06 program budget pilot 100000
on 02-03 program close pilot --reason "nobody applied"

# People: six from a file with one row twice, one at the counter
cat > people.csv <<'PEOPLE'
nik,name,account
0000010101900001,Warga Satu,001-22-31
0000010101900002,Warga Dua,001-22-32
0000010101900003,Warga Tiga,001-22-33
0000010101900003,Warga Tiga,001-22-33
0000010101900004,Warga Empat,001-22-34
0000010101900005,Warga Lima,001-22-35
0000010101900006,Warga Enam,001-22-36
PEOPLE
refused on 03-02 recipient import people.csv --category worker --rejects people.rejects
on 03-03 recipient register --nik 0000010101900007 --name "Warga Tujuh" --account 001-22-37 --category worker --region 32.73

# One batch paid, of whose file one row is refused; one batch rejected; the published figures of that day
cat > october.csv <<'OCTOBER'
recipient,amount
R000000001,600000
R000000002,600000
R000000003,600000
R000000004,600000
R000000005,600000
R000000099,600000
OCTOBER
refused on 10-05 disburse propose october.csv --program aid --tranche 1 --batch october --rejects october.rejects
on 10-06 disburse approve october --officer budi
on 10-07 disburse run october
on 10-07 disburse one R000000006 --program aid --tranche 1 --batch single --officer tari
on 10-08 disburse reject single --reason "not on the list" --officer budi
salur report programs --as-of 2020-12-31 --publish programs.note
salur report tranches --as-of 2020-12-31 --publish tranches.note

# What became of the payments: settled; returned and paid again; returned and refunded; reversed; returned and open
on 10-09 payment settle aid/1/R000000001 --reference bank-1
on 10-09 payment return aid/1/R000000002 --reason AC04
on 10-09 payment return aid/1/R000000003 --reason AC04
on 10-12 payment reissue aid/1/R000000002 --officer budi
on 10-13 payment refund aid/1/R000000003 --treasury-ref "NTPN 3"
on 10-14 payment reverse aid/1/R000000004 --reason "listed by mistake" --officer budi
on 10-15 payment return aid/1/R000000005 --reason AC01

# Two batches with one row in common: the second gives its money back
printf 'recipient\nR000000003\nR000000006\n' > late.csv
printf 'recipient\nR000000003\n' > again.csv
for batch in late again; do
    on 10-19 disburse propose $batch.csv --program aid --tranche 2 --batch $batch
    on 10-20 disburse approve $batch --officer budi
done
on 10-21 disburse run late
refused on 10-22 disburse run again --rejects again.rejects

# A group with its grant and its report; help without money; goods
on 08-03 group fund g1 --program tkm --amount 40000000 --proposal "P 1" --decree "SK 1" --decree-on 2020-07-20 --member R000000005 --member R000000006
on 09-28 group report g1 --program tkm --report "LPJ 1"
on 08-10 group fund g2 --program tkm --amount 30000000 --proposal "P 2" --decree "SK 2" --decree-on 2020-07-20 --member R000000004
on 09-07 training record R000000005 --program course --session books-1
on 09-08 support record R000000001 --program course --kind companion
on 09-09 referral record R000000006 --to kartu-prakerja --channel bp2mi
on 07-30 destination reopen HK --decree "Kepmenaker 294/2020"
on 04-20 goods stock mask 1000 --unit piece --from "BPJS Ketenagakerjaan"
on 04-20 goods stock staple-package 200 --unit package --from Kemnaker
on 04-27 goods ship mask 300 --shipment M1 --to HK --partner "BPJS Ketenagakerjaan"
on 04-27 goods ship staple-package 50 --shipment S1 --to MY
on 05-08 goods deliver M1 --proof "POD 1"
on 05-08 goods deliver S1 --quantity 20 --proof "POD 2"

# Rights of people: one erased, one erasure refused, one shown what is held
on 11-02 recipient erase request R000000007 --reason "letter of the person" --legal-basis "UU 27/2022 art. 8"
on 11-03 recipient erase approve R000000007 --officer budi
on 11-02 recipient erase request R000000006 --reason "letter of the person" --legal-basis "UU 27/2022 art. 8"
on 11-03 recipient erase reject R000000006 --reason "a grant is under way" --officer budi
on 11-04 recipient disclose R000000001 --reason "asked at the counter"

# A batch whose money is held, and nobody has paid yet
cat > november.csv <<'NOVEMBER'
recipient,amount
R000000001,600000
R000000002,600000
NOVEMBER
on 11-05 disburse propose november.csv --program aid --tranche 2 --batch november
on 11-06 disburse approve november --officer budi
on 11-09 officer revoke tari --reason "left the ministry"
