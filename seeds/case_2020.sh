# Indonesia's relief of 2020, as the commands that record it. The demo carries them out one by one; a shell can too,
# with the files that the demo wrote:  SALUR_STORE=… SALUR_KEYS=… FILES=demo-files/… NAME=… BUDGET=… sh seeds/case_2020.sh
#
# A line with ## is a heading, a command that begins with ! ends with refused rows, and must.
#
# Where the figures come from:
#   Kemnaker, 15 October 2020: the wage subsidy (BSU), 11,950,000 workers, Rp14,340,000,000,000; ceiling and tranches.
#   Kemnaker, 2 October 2020: TKM, 1,985 groups, 39,700 people; Padat Karya, 1,091 groups, 21,820 people.
#   Kemnaker, 2020: job expansion, 327,013 people; what is recorded for migrant workers, and for which destinations.
#   RMOL, 2 October 2020: the sizes of the first three batches.  Okezone, 25 November 2020: the plan for 15.7 million
#   workers and Rp37.7 trillion, which is the budget here.  January 2021: 12,293,134 workers with tranche 1.
# Invented: all people; days of single batches, shipments and trainings, and which batches got tranche 2 by then; amounts
# of group grants and their budgets; quantities of goods; how sums divide among programs; numbers of migrant workers;
# returns and mistakes.

## Two officers, each with a key to sign with: what one proposes, the other agrees to
salur init --name "$NAME"
salur officer enroll sari --role maker --no-passphrase --effective-on 2020-03-16
salur officer enroll budi --role checker --no-passphrase --officer sari --effective-on 2020-03-16

## What is set up first: programs and their money
salur program open jps-2020 --name "Social safety net (JPS)" --kind umbrella --fiscal-year 2020 --officer sari --effective-on 2020-04-01
salur program open tkm-2020 --name "Independent workers (TKM)" --kind group-grant --parent jps-2020 --ceiling 40000000 --fiscal-year 2020 --category unemployed --report-due-days 60 --officer sari --effective-on 2020-04-01
salur program budget tkm-2020 80000000000 --officer sari --effective-on 2020-04-01
salur program open padat-karya-2020 --name "Labor-intensive works (Padat Karya)" --kind umbrella --parent jps-2020 --fiscal-year 2020 --officer sari --effective-on 2020-04-01
salur program open pk-infra-2020 --name "Padat Karya Infrastruktur" --kind public-works --parent padat-karya-2020 --fiscal-year 2020 --category unemployed --officer sari --effective-on 2020-04-01
salur program budget pk-infra-2020 40000000000 --officer sari --effective-on 2020-04-01
salur program open pk-produktif --name "Padat Karya Produktif" --kind public-works --parent padat-karya-2020 --fiscal-year 2020 --category unemployed --officer sari --effective-on 2020-04-01
salur program budget pk-produktif 30000000000 --officer sari --effective-on 2020-04-01
salur program open training-2020 --name "Follow-up training of grant recipients" --kind training --parent jps-2020 --fiscal-year 2020 --officer sari --effective-on 2020-04-01
salur program open pmi-2020 --name "Migrant workers and their families" --kind umbrella --fiscal-year 2020 --officer sari --effective-on 2020-04-06
salur program open blk-2020 --name "Goods made by training centers (BLK)" --kind goods --fiscal-year 2020 --officer sari --effective-on 2020-04-06
salur program open masks-pmi --name "Masks for PMI" --kind goods --parent pmi-2020 --fiscal-year 2020 --officer sari --effective-on 2020-04-13
salur program open staples-pmi --name "Staple goods for PMI" --kind goods --parent pmi-2020 --fiscal-year 2020 --officer sari --effective-on 2020-04-13

## Both adopt it: from here on no officer alone moves money, goods or rights
salur rules adopt --officer sari --effective-on 2020-04-16
salur approve rules --officer budi --effective-on 2020-04-17
salur officer enroll dewi --role maker --no-passphrase --officer sari --effective-on 2020-04-17
salur approve officer/dewi --officer budi --effective-on 2020-04-17

## Wage subsidy, tranche 1: five batches, 11,950,000 workers at scale (Kemnaker, 15 October 2020)
salur program open bsu-2020 --name "Wage subsidy (BSU)" --kind cash --ceiling 2400000 --tranche 1200000 --tranche 1200000 --fiscal-year 2020 --legal-basis "Permenaker 14/2020" --category worker --officer sari --effective-on 2020-08-14
salur approve program/bsu-2020 --officer budi --effective-on 2020-08-14
salur program budget bsu-2020 $BUDGET --officer sari --effective-on 2020-08-14
salur approve program/bsu-2020 --officer budi --effective-on 2020-08-14
salur recipient import $FILES/pekerja-1.csv --category worker --officer sari --effective-on 2020-08-24
salur disburse propose $FILES/bsu-1-1.csv --program bsu-2020 --tranche 1 --batch bsu-1-1 --officer sari --effective-on 2020-08-25
salur disburse approve bsu-1-1 --officer budi --effective-on 2020-08-26
salur disburse run bsu-1-1 --officer sari --effective-on 2020-08-27
salur recipient import $FILES/pekerja-2.csv --category worker --officer sari --effective-on 2020-09-01
salur disburse propose $FILES/bsu-1-2.csv --program bsu-2020 --tranche 1 --batch bsu-1-2 --officer sari --effective-on 2020-09-02
salur disburse approve bsu-1-2 --officer budi --effective-on 2020-09-03
salur disburse run bsu-1-2 --officer sari --effective-on 2020-09-04
salur recipient import $FILES/pekerja-3.csv --category worker --officer sari --effective-on 2020-09-08
salur disburse propose $FILES/bsu-1-3.csv --program bsu-2020 --tranche 1 --batch bsu-1-3 --officer sari --effective-on 2020-09-10
salur disburse approve bsu-1-3 --officer budi --effective-on 2020-09-11
salur disburse run bsu-1-3 --officer sari --effective-on 2020-09-14
salur recipient import $FILES/pekerja-4.csv --category worker --officer sari --effective-on 2020-09-17
salur disburse propose $FILES/bsu-1-4.csv --program bsu-2020 --tranche 1 --batch bsu-1-4 --officer sari --effective-on 2020-09-18
salur disburse approve bsu-1-4 --officer budi --effective-on 2020-09-21
salur disburse run bsu-1-4 --officer sari --effective-on 2020-09-22
salur recipient import $FILES/pekerja-5.csv --category worker --officer sari --effective-on 2020-09-30
salur disburse propose $FILES/bsu-1-5.csv --program bsu-2020 --tranche 1 --batch bsu-1-5 --officer sari --effective-on 2020-10-05
salur disburse approve bsu-1-5 --officer budi --effective-on 2020-10-06
salur disburse run bsu-1-5 --officer sari --effective-on 2020-10-15

## Group grants: 1,985 groups of TKM, 1,091 of Padat Karya, 20 people each (Kemnaker, 2 October 2020)
salur recipient import $FILES/tkm-anggota.csv --category unemployed --officer sari --effective-on 2020-07-20
salur group propose $FILES/tkm-kelompok.csv --program tkm-2020 --batch tkm-1 --officer sari --effective-on 2020-07-30
salur approve batch/tkm-1 --officer budi --effective-on 2020-07-31
salur group run tkm-1 --officer sari --effective-on 2020-08-03
salur recipient import $FILES/padat-karya-anggota.csv --category unemployed --officer sari --effective-on 2020-07-22
salur group propose $FILES/infrastruktur-kelompok.csv --program pk-infra-2020 --batch pki-1 --officer sari --effective-on 2020-08-06
salur approve batch/pki-1 --officer budi --effective-on 2020-08-07
salur group run pki-1 --officer sari --effective-on 2020-08-10
salur group propose $FILES/produktif-kelompok.csv --program pk-produktif --batch pkp-1 --officer sari --effective-on 2020-09-30
salur approve batch/pkp-1 --officer budi --effective-on 2020-10-01
salur group run pkp-1 --officer sari --effective-on 2020-10-02

## Follow-up training, accompanied by the ministry
salur training record --group TKM-0001 --group-program tkm-2020 --program training-2020 --session pembukuan-1 --officer sari --effective-on 2020-09-07
salur training record --group TKM-0002 --group-program tkm-2020 --program training-2020 --session pembukuan-1 --officer sari --effective-on 2020-09-07
salur training record --group TKM-0003 --group-program tkm-2020 --program training-2020 --session pembukuan-1 --officer sari --effective-on 2020-09-07
salur training record --group TKM-0001 --group-program tkm-2020 --program training-2020 --session pemasaran-1 --officer sari --effective-on 2020-09-28
salur training record --group TKM-0002 --group-program tkm-2020 --program training-2020 --session pemasaran-1 --officer sari --effective-on 2020-09-28
salur training record --group PKP-0001 --group-program pk-produktif --program training-2020 --session keamanan-kerja-1 --officer sari --effective-on 2020-10-08

## Job expansion: 327,013 people at scale (Kemnaker, 2020)
salur program open jobs-2020 --name "Job expansion" --kind umbrella --fiscal-year 2020 --officer sari --effective-on 2020-05-04
salur approve program/jobs-2020 --officer budi --effective-on 2020-05-04
salur program open jobs-wirausaha --name "New entrepreneurs" --kind training --parent jobs-2020 --fiscal-year 2020 --officer sari --effective-on 2020-05-04
salur approve program/jobs-wirausaha --officer budi --effective-on 2020-05-04
salur program open jobs-inkubasi --name "Business incubation (Inkubasi Bisnis)" --kind incubation --parent jobs-2020 --fiscal-year 2020 --officer sari --effective-on 2020-05-04
salur approve program/jobs-inkubasi --officer budi --effective-on 2020-05-04
salur program open jobs-padat-karya --name "Padat Karya for job seekers" --kind public-works --parent jobs-2020 --fiscal-year 2020 --officer sari --effective-on 2020-05-04
salur approve program/jobs-padat-karya --officer budi --effective-on 2020-05-04
salur program open jobs-digital --name "Digital-economy entrepreneurs" --kind digital --parent jobs-2020 --fiscal-year 2020 --officer sari --effective-on 2020-05-04
salur approve program/jobs-digital --officer budi --effective-on 2020-05-04
salur program open jobs-pendamping --name "Community companions (Tenaga Pendamping)" --kind companion --parent jobs-2020 --fiscal-year 2020 --officer sari --effective-on 2020-05-04
salur approve program/jobs-pendamping --officer budi --effective-on 2020-05-04
salur recipient import $FILES/pencari-kerja.csv --category unemployed --officer sari --effective-on 2020-06-02
salur training record $FILES/wirausaha.csv --program jobs-wirausaha --session angkatan-1 --officer sari --effective-on 2020-06-22
salur support record $FILES/inkubasi.csv --program jobs-inkubasi --officer sari --effective-on 2020-07-01
salur support record $FILES/padat-karya.csv --program jobs-padat-karya --officer sari --effective-on 2020-07-01
salur support record $FILES/digital.csv --program jobs-digital --officer sari --effective-on 2020-07-15
salur support record $FILES/pendamping.csv --program jobs-pendamping --officer sari --effective-on 2020-08-03

## The same for prospective and placed migrant workers (CPMI, PMI) and their families
salur program open pmi-infra --name "PMI: Padat Karya Infrastruktur" --kind public-works --parent pmi-2020 --fiscal-year 2020 --category cpmi --category pmi --category pmi-family --officer sari --effective-on 2020-06-01
salur approve program/pmi-infra --officer budi --effective-on 2020-06-01
salur program open pmi-produktif --name "PMI: Padat Karya Produktif" --kind public-works --parent pmi-2020 --fiscal-year 2020 --category cpmi --category pmi --category pmi-family --officer sari --effective-on 2020-06-01
salur approve program/pmi-produktif --officer budi --effective-on 2020-06-01
salur program open pmi-inkubasi --name "PMI: Inkubasi Bisnis" --kind incubation --parent pmi-2020 --fiscal-year 2020 --category cpmi --category pmi --category pmi-family --officer sari --effective-on 2020-06-01
salur approve program/pmi-inkubasi --officer budi --effective-on 2020-06-01
salur program open pmi-teknologi --name "PMI: Teknologi Tepat Guna" --kind technology --parent pmi-2020 --fiscal-year 2020 --category cpmi --category pmi --category pmi-family --officer sari --effective-on 2020-06-01
salur approve program/pmi-teknologi --officer budi --effective-on 2020-06-01
salur program open pmi-tkm --name "PMI: Tenaga Kerja Mandiri" --kind group-grant --parent pmi-2020 --fiscal-year 2020 --category cpmi --category pmi --category pmi-family --officer sari --effective-on 2020-06-01
salur approve program/pmi-tkm --officer budi --effective-on 2020-06-01
salur recipient import $FILES/pmi.csv --officer sari --effective-on 2020-06-15
salur support record $FILES/pmi-infrastruktur.csv --program pmi-infra --officer sari --effective-on 2020-07-06
salur support record $FILES/pmi-produktif.csv --program pmi-produktif --officer sari --effective-on 2020-07-06
salur support record $FILES/pmi-inkubasi.csv --program pmi-inkubasi --officer sari --effective-on 2020-07-13
salur support record $FILES/pmi-teknologi.csv --program pmi-teknologi --officer sari --effective-on 2020-07-13
salur support record $FILES/pmi-tkm.csv --program pmi-tkm --officer sari --effective-on 2020-08-18
salur referral record $FILES/prakerja.csv --officer sari --effective-on 2020-06-22

## Masks for migrant workers, with BPJS Ketenagakerjaan
salur goods stock mask 300000 --unit piece --from "BPJS Ketenagakerjaan" --officer sari --effective-on 2020-04-20 --reference goods-in-1
salur goods ship mask 80000 --shipment MASK-HK-1 --to HK --program masks-pmi --partner "BPJS Ketenagakerjaan" --officer sari --effective-on 2020-04-27
salur approve shipment/MASK-HK-1 --officer budi --effective-on 2020-04-27
salur goods ship mask 70000 --shipment MASK-TW-1 --to TW --program masks-pmi --partner "BPJS Ketenagakerjaan" --officer sari --effective-on 2020-04-27
salur approve shipment/MASK-TW-1 --officer budi --effective-on 2020-04-27
salur goods ship mask 60000 --shipment MASK-MY-1 --to MY --program masks-pmi --partner "BPJS Ketenagakerjaan" --officer sari --effective-on 2020-04-29
salur approve shipment/MASK-MY-1 --officer budi --effective-on 2020-04-29
salur goods ship mask 30000 --shipment MASK-SG-1 --to SG --program masks-pmi --partner "BPJS Ketenagakerjaan" --officer sari --effective-on 2020-04-29
salur approve shipment/MASK-SG-1 --officer budi --effective-on 2020-04-29
salur goods ship mask 25000 --shipment MASK-KR-1 --to KR --program masks-pmi --partner "BPJS Ketenagakerjaan" --officer sari --effective-on 2020-05-04
salur approve shipment/MASK-KR-1 --officer budi --effective-on 2020-05-04
salur goods ship mask 10000 --shipment MASK-BN-1 --to BN --program masks-pmi --partner "BPJS Ketenagakerjaan" --officer sari --effective-on 2020-05-04
salur approve shipment/MASK-BN-1 --officer budi --effective-on 2020-05-04
salur goods deliver MASK-HK-1 --proof "POD HK 11" --officer dewi --effective-on 2020-05-08
salur goods deliver MASK-TW-1 --proof "POD TW 4" --officer dewi --effective-on 2020-05-11
salur goods deliver MASK-MY-1 --quantity 45000 --proof "POD MY 7" --officer dewi --effective-on 2020-05-12
salur goods deliver MASK-SG-1 --proof "POD SG 2" --officer dewi --effective-on 2020-05-12
salur goods deliver MASK-KR-1 --proof "POD KR 3" --officer dewi --effective-on 2020-05-18

## Staple goods for migrant workers in the countries where they are
salur goods stock staple-package 12000 --unit package --from "Kemnaker" --officer sari --effective-on 2020-05-04 --reference goods-in-2
salur goods ship staple-package 7000 --shipment STAPLE-MY-1 --to MY --program staples-pmi --officer sari --effective-on 2020-05-11
salur approve shipment/STAPLE-MY-1 --officer budi --effective-on 2020-05-11
salur goods ship staple-package 2500 --shipment STAPLE-SG-1 --to SG --program staples-pmi --officer sari --effective-on 2020-05-11
salur approve shipment/STAPLE-SG-1 --officer budi --effective-on 2020-05-11
salur goods ship staple-package 1500 --shipment STAPLE-BN-1 --to BN --program staples-pmi --officer sari --effective-on 2020-05-13
salur approve shipment/STAPLE-BN-1 --officer budi --effective-on 2020-05-13
salur goods deliver STAPLE-MY-1 --proof "POD MY 9" --officer dewi --effective-on 2020-05-20
salur goods deliver STAPLE-SG-1 --proof "POD SG 3" --officer dewi --effective-on 2020-05-22

## Training centers (BLK) make goods, which are given to the public
salur goods stock mask 120000 --unit piece --from "BLK Bandung" --officer sari --effective-on 2020-04-24 --reference goods-in-3
salur goods stock face-shield 20000 --unit piece --from "BLK Semarang" --officer sari --effective-on 2020-04-24 --reference goods-in-4
salur goods stock protective-suit 4000 --unit piece --from "BLK Serang" --officer sari --effective-on 2020-05-06 --reference goods-in-5
salur goods stock wash-basin 600 --unit piece --from "BLK Makassar" --officer sari --effective-on 2020-05-06 --reference goods-in-6
salur goods ship mask 60000 --shipment BLK-MASK-1 --to ID --region 32.73 --program blk-2020 --officer sari --effective-on 2020-05-02
salur approve shipment/BLK-MASK-1 --officer budi --effective-on 2020-05-02
salur goods ship face-shield 12000 --shipment BLK-SHIELD-1 --to ID --region 33.74 --program blk-2020 --officer sari --effective-on 2020-05-02
salur approve shipment/BLK-SHIELD-1 --officer budi --effective-on 2020-05-02
salur goods ship protective-suit 4000 --shipment BLK-SUIT-1 --to ID --region 31.71 --program blk-2020 --officer sari --effective-on 2020-05-11
salur approve shipment/BLK-SUIT-1 --officer budi --effective-on 2020-05-11
salur goods ship wash-basin 450 --shipment BLK-BASIN-1 --to ID --region 73.71 --program blk-2020 --officer sari --effective-on 2020-05-11
salur approve shipment/BLK-BASIN-1 --officer budi --effective-on 2020-05-11
salur goods deliver BLK-MASK-1 --proof "BAST 14/V/2020" --officer dewi --effective-on 2020-05-04
salur goods deliver BLK-SHIELD-1 --proof "BAST 15/V/2020" --officer dewi --effective-on 2020-05-04
salur goods deliver BLK-SUIT-1 --proof "BAST 21/V/2020" --officer dewi --effective-on 2020-05-14
salur goods deliver BLK-BASIN-1 --proof "BAST 22/V/2020" --officer dewi --effective-on 2020-05-15

## Placement reopened, country by country (Kepmenaker 294/2020; which countries first is invented)
salur destination reopen HK --decree "Kepmenaker 294/2020" --officer sari --effective-on 2020-07-30
salur destination reopen KR --decree "Kepmenaker 294/2020" --officer sari --effective-on 2020-07-30
salur destination reopen TW --decree "Kepmenaker 294/2020" --officer sari --effective-on 2020-07-30

## October to December: tranche 2, of which a batch waits and a wrong one is called off; payments come back
salur disburse propose $FILES/bsu-2-1.csv --program bsu-2020 --tranche 2 --batch bsu-2-1 --officer sari --effective-on 2020-10-28
salur disburse propose $FILES/bsu-2-keliru.csv --program bsu-2020 --tranche 2 --batch bsu-2-keliru --officer sari --effective-on 2020-10-29 --reference "memo 41"
salur approve batch/bsu-2-keliru --officer budi --effective-on 2020-10-30
salur disburse cancel bsu-2-keliru --reason "these workers had left their jobs" --officer sari --effective-on 2020-11-02
salur approve batch/bsu-2-keliru --officer budi --effective-on 2020-11-03
salur disburse propose $FILES/bsu-2-2.csv --program bsu-2020 --tranche 2 --batch bsu-2-2 --officer sari --effective-on 2020-11-05
salur disburse approve bsu-2-2 --officer budi --effective-on 2020-11-06
salur disburse run bsu-2-2 --officer sari --effective-on 2020-11-09
salur payment settle $FILES/bank-terima-1.csv --officer sari --effective-on 2020-10-30
salur payment return $FILES/bank-retur.csv --officer sari --effective-on 2020-11-06
salur payment return bsu-2020/1/R000000085 --reason MD07 --officer sari --effective-on 2020-11-10
salur payment reissue $FILES/bsu-ulang.csv --batch ulang-1 --officer sari --effective-on 2020-11-13
salur approve batch/ulang-1 --officer budi --effective-on 2020-11-16
salur disburse run ulang-1 --officer budi --effective-on 2020-11-17
salur payment settle bsu-2020/1/R000000004/2 --officer sari --effective-on 2020-11-20
salur payment return bsu-2020/1/R000000018/2 --reason AC04 --officer sari --effective-on 2020-11-24
salur payment refund bsu-2020/1/R000000085 --treasury-ref "NTPN 8F2K-51QD" --batch setor-1 --officer sari --effective-on 2020-11-27
salur approve batch/setor-1 --officer budi --effective-on 2020-11-30
salur disburse run setor-1 --officer sari --effective-on 2020-12-01
salur group report $FILES/tkm-lpj.csv --program tkm-2020 --officer sari --effective-on 2020-11-27
salur group report PKI-0007 --program pk-infra-2020 --report "LPJ/PKI/0007/2020" --officer sari --effective-on 2020-12-04
! salur group propose $FILES/tkm-kelompok-susulan.csv --program tkm-2020 --batch tkm-2 --reference "memo 52" --rejects $FILES/tkm-kelompok-susulan.rejects.csv --officer sari --effective-on 2020-12-07
salur reject batch/tkm-2 --reason "the group has no account of its own" --officer budi --effective-on 2020-12-08
! salur recipient import $FILES/daftar-kotor.csv --category worker --rejects $FILES/daftar-kotor.rejects.csv --officer sari --effective-on 2020-12-07
salur recipient import $FILES/pns.csv --category civil-servant --officer sari --effective-on 2020-12-07
salur recipient import $FILES/pekerja-susulan.csv --category worker --officer sari --effective-on 2020-12-07
! salur disburse propose $FILES/bsu-1-susulan.csv --program bsu-2020 --tranche 1 --batch bsu-1-6 --rejects $FILES/bsu-1-susulan.rejects.csv --officer sari --effective-on 2020-12-08
salur disburse approve bsu-1-6 --officer budi --effective-on 2020-12-09
salur disburse run bsu-1-6 --officer sari --effective-on 2020-12-10

## The figures that were published, as of their day
salur report programs --as-of 2020-10-15
salur report tranches --as-of 2020-10-15

## The same tranche after the returns and the late batch: 12,293,134 workers at scale (January 2021)
salur report tranches --as-of 2021-01-31
salur report groups --as-of 2020-12-31
salur report aid --as-of 2020-12-31
salur report people --as-of 2020-12-31
salur report returns --as-of 2020-12-31
salur report refusals --as-of 2020-12-31

## Is everything as the ledger's laws want it?
salur check
