"""The files that the 2020 case reads: who is in them, and in which form they arrive."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from seeds.nation import Nation, Table

GROUP_SIZE = 20
"""Kemnaker, 2 October 2020: 1,985 groups are 39,700 people, and 1,091 groups 21,820."""
TKM_GROUPS = 1_985
INFRA_GROUPS, PRODUCTIVE_GROUPS = 600, 491
"""Published is their sum, 1,091."""

WORKERS_PAID = 11_950_000
"""Kemnaker, 15 October 2020."""
WORKERS_PAID_LATER = 12_293_134
"""As of January 2021."""
WORKERS_PLANNED = 15_700_000
BATCHES = (2_484_000, 2_981_000, 3_476_000, 2_621_000, 388_000)
"""The first three as the minister told them on 2 October 2020 (99.38, 99.38 and 99.32 % of the files of 2.5, 3 and
3.5 million workers); the others fill up to the published sum."""
JOBS = {"wirausaha": 120_000, "inkubasi": 60_000, "padat-karya": 90_000, "digital": 45_000, "pendamping": 12_013}
"""Published is their sum, 327,013."""

# Where each crowd's numbers begin: every worker of the nation fits before the next crowd.
WORKERS, CIVIL_SERVANTS, TKM_MEMBERS, WORKS_MEMBERS, JOB_SEEKERS, MIGRANTS, STRANGERS = range(
    0, 7 * 14_000_000, 14_000_000
)

PAYMENT = "Rp1.200.000"
RETURNS = {4: "AC04", 11: "AC04", 18: "AC01", 23: "AC06", 29: "AC04", 37: "BE01", 52: "AC04", 71: "AC01"}
"""Recipient → why the bank sent the payment back; invented."""
PAID_AGAIN = (4, 18, 37)
LEFT_THEIR_JOBS = 40
"""Workers on a list that is called off; invented."""
SETTLED_MAX = 100_000
"""Payments in the bank's first confirmation."""


def tables(nation: Nation, scale: int) -> Iterator[Table]:
    """Every file of the case; the wage subsidy and job expansion at 1:`scale`."""
    yield from _wage_subsidy(nation, scale)
    yield from _later_in_the_year(nation, scale)
    yield from _groups(nation)
    yield from _papers_missing(nation, scale)
    yield from _job_expansion(nation, scale)
    yield from _migrants(nation)


def _parts(sizes: Iterable[int], scale: int, start: int) -> Iterator[range]:
    """Ranges of people one after another, whose sum is the scaled sum of the sizes to the person."""
    end = 0
    for size in sizes:
        begin, end = end, end + size
        yield range(start + begin // scale, start + end // scale)


def _wage_subsidy(nation: Nation, scale: int) -> Iterator[Table]:
    """What BPJS Ketenagakerjaan sends: the workers of each batch, and the banks' lists to pay them."""
    for number, part in enumerate(_parts(BATCHES, scale, WORKERS), start=1):
        yield _workers(f"pekerja-{number}.csv", nation, part)
        yield Table(f"bsu-1-{number}.csv", ("NIK", "Jumlah (Rp)"), ((nik, PAYMENT) for nik in nation.niks(part)))
    first, *others = _parts(BATCHES, scale, WORKERS)
    for number, part in ((1, first), (2, range(first.stop, others[-1].stop))):
        yield Table(f"bsu-2-{number}.csv", ("NIK", "Jumlah (Rp)"), ((nik, PAYMENT) for nik in nation.niks(part)))
    settled = (number for number in range(1, min(len(first), SETTLED_MAX) + 1) if number not in RETURNS)
    yield Table("bank-terima-1.csv", ("EndToEndId",), ((_payment(number),) for number in settled))
    gone = ((nik, PAYMENT) for nik in nation.niks(range(WORKERS, WORKERS + LEFT_THEIR_JOBS)))
    yield Table("bsu-2-keliru.csv", ("NIK", "Jumlah (Rp)"), gone)
    again = ((_payment(number),) for number in PAID_AGAIN)
    yield Table("bsu-ulang.csv", ("EndToEndId",), again)
    returned = ((_payment(number), reason) for number, reason in RETURNS.items())
    yield Table("bank-retur.csv", ("EndToEndId", "Kode Alasan"), returned, delimiter=";", newline="\r\n")


def _workers(name: str, nation: Nation, numbers: range) -> Table:
    header = ("NIK", "Nama Lengkap", "No Rekening", "Kode Wilayah")
    return Table(name, header, nation.people(numbers), delimiter=";", newline="\r\n", has_mark=True)


def _payment(worker: int) -> str:
    """The payment of the worker whom the ledger registered as the so-manieth."""
    return f"bsu-2020/1/R{worker:09d}"


def _later_in_the_year(nation: Nation, scale: int) -> Iterator[Table]:
    """Workers found later, and a list to pay them with the mistakes that auditors found in such lists."""
    late = range(WORKERS + WORKERS_PAID // scale, WORKERS + WORKERS_PAID_LATER // scale)
    servants = range(CIVIL_SERVANTS, CIVIL_SERVANTS + 3)
    yield _workers("pekerja-susulan.csv", nation, late)
    yield _workers("pns.csv", nation, servants)
    mistakes = [
        *((nik, PAYMENT) for nik in nation.niks(range(WORKERS, WORKERS + 4))),  # paid before
        *((nik, PAYMENT) for nik in nation.niks(servants)),
        *((nik, PAYMENT) for nik in nation.niks(range(STRANGERS, STRANGERS + 2))),  # registered nowhere
        *((nik, "Rp2.400.000") for nik in nation.niks(late[:1])),
        *((nik, "Rp1.200.000,50") for nik in nation.niks(late[:1])),
    ]
    once = ((nik, PAYMENT) for nik in nation.niks(late))
    twice = ((nik, PAYMENT) for nik in nation.niks(late[:2]))
    header = ("NIK", "Jumlah (Rp)")
    yield Table("bsu-1-susulan.csv", header, (row for rows in (mistakes, once, twice) for row in rows), delimiter=";")
    yield Table("daftar-kotor.csv", ("nik", "nama", "rekening", "wilayah"), _dirty(nation), delimiter=";")


def _dirty(nation: Nation) -> Iterator[Sequence[str]]:
    """Rows as they come from a spreadsheet that went through many hands."""
    people = list(nation.people(range(STRANGERS + 100, STRANGERS + 110)))
    yield people[0]
    yield people[0]  # the same person again
    yield people[1]._replace(account=people[0].account)
    # A spreadsheet's number, nothing, too few digits, no date of birth, a remark.
    for person, nik in zip(people[2:7], ("3.27302E+15", "", "3273", "0000003213990001", "menyusul"), strict=True):
        yield person._replace(nik=nik)
    yield people[7]._replace(region="Bandung")
    yield people[8][:3]
    yield people[9]


GROUP_HEADER = ("Kelompok", "NIK", "Jumlah", "Nomor Proposal", "Nomor SK", "Tanggal SK", "Wilayah")


def _groups(nation: Nation) -> Iterator[Table]:
    """Registrations and rosters of the group programs, each in the form of its own office."""
    tkm = range(TKM_MEMBERS, TKM_MEMBERS + TKM_GROUPS * GROUP_SIZE)
    infra = range(WORKS_MEMBERS, WORKS_MEMBERS + INFRA_GROUPS * GROUP_SIZE)
    productive = range(infra.stop, infra.stop + PRODUCTIVE_GROUPS * GROUP_SIZE)
    header = ("nik", "nama", "rekening", "wilayah")
    yield Table("tkm-anggota.csv", header, nation.people(tkm))
    yield Table("padat-karya-anggota.csv", header, nation.people(range(infra.start, productive.stop)), delimiter="\t")
    yield Table("tkm-kelompok.csv", GROUP_HEADER, _roster(nation, tkm, "TKM", "Rp40.000.000,-"), delimiter=";")
    infra_rows = _roster(nation, infra, "PKI", "60.000.000")
    yield Table("infrastruktur-kelompok.csv", GROUP_HEADER, infra_rows, delimiter="\t", has_mark=True)
    productive_rows = _roster(nation, productive, "PKP", "Rp 55.000.000")
    yield Table("produktif-kelompok.csv", GROUP_HEADER, productive_rows, newline="\r\n")
    accounts = ((f"TKM-{number:04d}", f"LPJ/TKM/{number:04d}/2020") for number in range(1, 421))
    yield Table("tkm-lpj.csv", ("Kelompok", "Nomor LPJ"), accounts)


def _roster(nation: Nation, numbers: range, prefix: str, amount: str) -> Iterator[Sequence[str]]:
    """A row a member; the papers stand in a group's first row, as in a sheet with merged cells."""
    people = nation.people(numbers)
    for group in range(1, len(numbers) // GROUP_SIZE + 1):
        leader, *members = islice(people, GROUP_SIZE)
        papers = (f"{prefix}/{group:04d}/VI/2020", f"KEP.{prefix}/{1 + group // 500}/VII/2020", "15 Juli 2020")
        yield (f"{prefix}-{group:04d}", leader.nik, amount, *papers, leader.region)
        for member in members:
            yield (f"{prefix}-{group:04d}", member.nik, "", "", "", "", "")


def _papers_missing(nation: Nation, scale: int) -> Iterator[Table]:
    """Groups as the auditors found them: without a proposal, with a decree of the next year, with another's member; and
    one whose papers are in order."""
    seekers = list(nation.niks(range(JOB_SEEKERS, JOB_SEEKERS + min(3, sum(JOBS.values()) // scale))))
    members = list(nation.niks(range(TKM_MEMBERS, TKM_MEMBERS + 2)))
    groups = (
        ("TKM-9001", seekers, "", "15 Juli 2020"),
        ("TKM-9002", seekers, "TKM/9002/XII/2020", "4 Januari 2021"),
        ("TKM-9003", members, "TKM/9003/XII/2020", "15 Juli 2020"),
        ("TKM-9004", seekers, "TKM/9004/XII/2020", "15 Juli 2020"),
    )
    rows = [
        (group, nik, "Rp40.000.000,-", proposal, "KEP.TKM/9/VII/2020", decree_on, "32.73")
        for group, niks, proposal, decree_on in groups
        for nik in niks
    ]
    yield Table("tkm-kelompok-susulan.csv", GROUP_HEADER, rows, delimiter=";")


def _job_expansion(nation: Nation, scale: int) -> Iterator[Table]:
    """People looking for work, and which program helped them."""
    everybody = range(JOB_SEEKERS, JOB_SEEKERS + sum(JOBS.values()) // scale)
    yield Table("pencari-kerja.csv", ("NIK", "Nama", "No HP", "Wilayah"), nation.people(everybody), delimiter="|")
    for name, part in zip(JOBS, _parts(JOBS.values(), scale, JOB_SEEKERS), strict=True):
        yield Table(f"{name}.csv", ("NIK",), ((nik,) for nik in nation.niks(part)))


def _migrants(nation: Nation) -> Iterator[Table]:
    """Prospective and placed migrant workers and their families; how many is invented."""
    crowds = {"cpmi": range(130), "pmi": range(130, 250), "pmi-family": range(250, 320)}
    rows = (
        (*person, category)
        for category, crowd in crowds.items()
        for person in nation.people(range(MIGRANTS + crowd.start, MIGRANTS + crowd.stop))
    )
    header = ("NIK", "Nama", "No Rekening", "Wilayah", "Kategori")
    yield Table("pmi.csv", header, rows, delimiter=";", has_mark=True)
    helped = {"infrastruktur": 60, "produktif": 60, "inkubasi": 40, "teknologi": 40, "tkm": 60}
    for name, part in zip(helped, _parts(helped.values(), 1, MIGRANTS), strict=True):
        yield Table(f"pmi-{name}.csv", ("NIK",), ((nik,) for nik in nation.niks(part)))
    channels = {"regional-government": 70, "bp2mi": 50, "p3mi": 30}
    referred = (
        (nik, "kartu-prakerja", channel)
        for channel, part in zip(channels, _parts(channels.values(), 1, MIGRANTS), strict=True)
        for nik in nation.niks(part)
    )
    yield Table("prakerja.csv", ("NIK", "Skema", "Jalur"), referred)
