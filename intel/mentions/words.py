"""The reviewed lists: which words are plain English, and what the trade calls some techniques.

A name is judged by its words alone (intel.mentions.naming), so that the names of the next release are judged by the same rule.
"""

from __future__ import annotations

from typing import Final


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Things that are in every text on computers. A name made of nothing else ("Cloud Accounts") says nothing of an attack.
THINGS: Final = _words("""
account accounts address addresses admin administration agent agents api apis appliance appliances application applications
artificial at authentication backup basic browser browsers business cdns certificate certificates channel channels chat cli
client clients cloud cluster code command commands component components compression computer configuration configurations
confluence connection connections container containers content controller cookie cookies credential credentials cron customer
data database databases desktop development device devices digital directories directory disk distributed dll dlls dns domain
domains drive driver drivers email emails employee engine engines exploit exploits extension extensions external factor file
files firewall firmware folder forms group groups hardware history host hybrid hypervisor ide identity image images information
infrastructure intel intelligence internal internet ip item items job jobs key keys language layer legitimate link links linux
local location locations log logs mac machine mail mailbox malware management manager managers media medium memory message
messages messaging metadata mobile model module modules multi name names network networks object objects office org outlook
owner package packages page panel password passwords path platform policies policy port portal print private process processes
processor processors profile program properties protocol protocols provider providers proxy public python query registry
relationship relationships remote repositories repository resource resources role roles root rule rules screen screensaver
script scripting scripts search secrets security server serverless servers service services session sessions share shared
sharepoint shares shell site sites snapshot social software source sources sql ssh standard storage store stores system systems
target task tasks technical template templates tenant terminal threat time token tokens tool tools topology traffic tree trees
trust unix usb user users utilities utility vendor vendors virtual visual vnc volume vulnerabilities vulnerability web webhook
website websites whois wi-fi wi fi window windows
a and as by for from in no non of on one or other over the through to via with
""")

# Ordinary English beside them: deeds and qualities ("Data Destruction", "Service Stop").
PLAIN: Final = _words("""
abuse access accessibility acquire active activity add addition additional additions after alerting alternate alternative
archive argument arguments artifacts attachment attachments attack attributes audio audit authorized automated bandwidth based
bidirectional bind binary bit blocking block blocks boot boundary break bridging build bundle bundles bypass cache cached
caching calculation call calls capabilities capture chain change check checks clear clipboard closed collected collection
communication compile compiled compromise compute conditional control controls copies copy corruption create custom daemon
dashboard dead decode defacement default defense defenses delay delegate delete deleted deletes deleting deletion delivery
denial dependencies deploy deployment destruction determine develop developer direct disable discovery double downgrade drop
dump duplication dynamic electron elevated elevation embedded encoded encoding encrypted endpoint entries enumeration
environment environmental escape establish event evil exchange exclusion exclusions exclusive executable execution exhaustion
extended extra facing fallback fast features fi filename filter filters financial fingerprint flood flow flux folder for force
forced forge forking forwarding gather gatekeeper generation golden helper hidden hide hiding hierarchy home hook hop icon
identify ignore impact impair impersonate impersonation implant indicator indirect inhibit initialization input insertion
install installation installer instance instrumentation integration inter interception interpreter interrupts invalid junk
kernel keychain launch left library lifecycle limits load loading logging login logon make manipulation mark masquerade
masquerading match material mechanism method middle mode modification modify monitors mounts mutual native obtain open opened
options order override overwrite owned packing padding parent pass passive paste patch payload payloads peripheral permission
permissions physical pipeline portable power preferences procedure procedures prompt publish pumping purchase python re reboot
recovery reduce regions registration relay relocate removable removal rename replication request resolution reversible revert
right run runtime safe scan scheduled selective settings setup shadow shutdown signaling signature signing silver size space
spoof stage staged startup steal stop stored stripped structure subscribe subscription supply support suspended symmetric
asymmetric taint tempo temporary test text theft thread ticket tickets timer timers transfer translation transmitted transport
trap triggered trusted type unsecured unsupported unused upload use valid variable video voice weaken weakness wipe
""")

# Words of the trade that every report and every brochure uses.
TRADE: Final = _words("""
adversary bootkit botnet cracking cryptography encryption escalation evasion exfiltration exploitation guessing
hijack hijacking hijacks injection javascript lateral malicious malvertising obfuscate obfuscated obfuscation persistence
phishing poisoned poisoning powershell privilege ransomware rootkit sandbox scanning sniffing spear spearphishing spoofing
staging steganography
tunneling victim virtualization
""")

# Names of actors and software that are words, first names, elements, animals or places.
NAMES: Final = _words("""
actinium agenda akira americium anchor andromeda apostle arp attrib aurora avenger avenue axiom backspace bandook barium bazar
biscuit bismuth bitter bookworm bromine bushwalk calendar calisto callisto cannon carbon caterpillar chaos chimera chopstick
chromium cicada cleaver clop conficker confucius connectwise conti copernicium covenant crimson crutch cuba curium denis disco
donut dragonfish dragonfly dubnium ekans elderwood elise elfin embargo emissary empire epic equation europium expand explosive
ferocious fireant flame flashflood flipside forfiles ftp gadolinium gallium gazer goopy griffon hafnium halfbaked hammertoss
havoc helminth hexane hogfish holmium homefry inception iridium james kessel kevin krypton leviathan lizar lucifer lurid
lyceum machete mafalda mango manganese mantis matryoshka maze medusa meek megazord mercury meteor milan mirage monsoon
mosquito mythic nebulae neodymium net nickel nightdoor ninja nobelium octopus page pandora patchwork phosphorus photo ping
pitstop platinum play plutonium polonium pony potassium prestige promethium proton qilin radium raindrop ramsay rancor
rattlesnake reaper reaver reg responder rifle riptide rocke route rover royal rubidium ruler samurai scorpion seasalt shark
silence silicon sliver snake solar soldier spark springtail strider strontium suckfly sunburst sunspot supernova swallowtail
teardrop thallium thrip tick tor tortoise trinity turnedup umbreon upstyle uppercut valak vermin viper voltzite waterbear
waterbug whitefly windigo windshield windshift winder wiper xenotime yttrium zinc zipline zirconium ajax anunak bang bear
beetle big black blind blizzard blossom blue brave bronze brass cadet canvas cedar charcoal cherry cinnamon citrine cobalt
comment crew cyclone dark deep deputy desert diamond dog dragon dropping dust dynamite eagle earth elephant ember emerald
emperor energetic evil exotic falcon fancy flying forest fox framework gang ghost gingham gold goldfish gothic granite green
grey grim halo hazel hidden highland hound illusion interview iron karma keyhole kitten kittens labyrinth lemon leopard
librarian lily linen lion line lotus luminous magic marbled marigold midnight mint moonstone moth mulberry mustang mustard
night nomadic numbered nylon onyx operation panda peach picker pink pioneer pirate plaid playful prince primitive purple quick
assist rabbit rain raspberry red rising rose runner saint salt sandstorm sapphire scarlet sea secret shell sleet silent silk
skeleton sneaky spider spring star static stealth stone storm strawberry sun team tempest tiger transparent tribe trooper
armageddon bahamut beijing buckeye doki elbrus electrum elmer goldeneye gorgon hangover hildegard httpclient kaba kido linfo
mori pacu poseidon pupy speakup spica taal textmate warzone winmm zlib velvet tropic turtle typhoon union violet volatile volt
white wicked winter wizard wolf wooden woody yellow company dukes ant banshee vine white peace rock butler hunter ritual
twilight viking cabin feather prelude feather
""")

# Names of software and actors that are common nouns and the like: they are names only with a capital in running text.
NOUNS: Final = _words("""
badnews bankshot blackfly bloodhound bubblewrap bumblebee callme canopy chimneysweep coathanger deadwood driftwood dropshot
dustpan flamer hardrain haymaker leafminer lookback lowball newscaster nightclub pacemaker peppy plead rainyday reptile
sardonic shipshape sidewinder skid soundbite spaceship tantalum trailblazer
""")

# Parts of systems that attackers use as everybody does: beside malware or attackers they are a technique.
TOOLS: Final = _words("applescript clickonce launchctl msbuild msiexec systemctl")

# Phrases that weigh more, or less, than their words do: the trade uses these for one thing only.
TERMS_OF_ART: Final = _words("""
adversary-in-the-middle aitm as-rep-roasting bypass-user-account-control clear-windows-event-logs
component-object-model-hijacking credential-stuffing dead-drop-resolver domain-fronting data-encrypted-for-impact
domain-generation-algorithms
domain-trust-discovery disable-or-modify-tools
drive-by-attack drive-by-compromise drive-by-download dynamic-link-library-injection email-bombing
event-triggered-execution exfiltration-over-web-service exfiltration-to-cloud-storage exploit-public-facing-application
exploitation-for-client-execution exploitation-for-credential-access exploitation-for-defense-evasion
exploitation-for-privilege-escalation exploitation-of-remote-services fast-flux-dns fileless-storage
hijack-execution-flow html-smuggling ingress-tool-transfer
inhibit-system-recovery internal-spearphishing lateral-tool-transfer lsass-memory mark-of-the-web-bypass
obfuscated-files-or-information os-credential-dumping parent-pid-spoofing password-spraying permission-groups-discovery
portable-executable-injection process-hollowing process-injection registry-run-key registry-run-keys remote-system-discovery
reflective-code-loading seo-poisoning software-supply-chain-attack spearphishing-attachment spearphishing-link
spearphishing-service spearphishing-via-service spearphishing-voice supply-chain-attack
security-software-discovery
supply-chain-compromise thread-execution-hijacking use-alternate-authentication-material vba-stomping
virtualization-sandbox-evasion web-shell
""")
COMMON_IN_REPORTS: Final = _words("""
access-token-manipulation account-manipulation brute-force browser-session-hijacking credentials-from-web-browsers evil-twin
external-remote-services group-policy-modification hidden-window launch-agent launch-daemon local-account
multi-factor-authentication-interception process-discovery protocol-tunneling remote-access-tools remote-desktop-protocol
scheduled-task scheduled-task-job system-information-discovery user-execution valid-accounts windows-command-shell
windows-management-instrumentation windows-remote-management windows-service disk-wipe query-registry modify-registry
office-template-macros network-sniffing dga systemd-timers systemd-timer udev-rules udev-rule sql-stored-procedures
sql-stored-procedure
golden-ticket golden-tickets silver-ticket silver-tickets pass-the-hash pass-the-ticket port-knocking watering-hole
""")

# What else a technique is called, by the name that it has in ATT&CK.
OTHER_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "Adversary-in-the-Middle": ("AiTM", "man-in-the-middle"),
    "Brute Force": ("brute-forcing", "brute-forced", "bruteforce", "bruteforcing"),
    "Compromise Host Software Binary": ("compromise client software binary",),
    "Bypass User Account Control": ("UAC bypass", "bypass UAC", "bypassing UAC", "bypasses UAC"),
    "Clear Windows Event Logs": ("clearing Windows event logs", "cleared the Windows event logs", "event log clearing"),
    "DCSync": ("DCSync attack",),
    "DLL": ("DLL side-loading", "DLL sideloading", "DLL search order hijacking", "DLL hijacking", "side-loaded DLL"),
    "Data Encrypted for Impact": ("data encryption for impact",),
    "Domain Generation Algorithms": ("domain generation algorithm", "DGA"),
    "Drive-by Compromise": ("drive-by download", "watering hole", "drive-by attack"),
    "Domain or Tenant Policy Modification": ("domain policy modification",),
    "Dynamic-link Library Injection": ("DLL injection",),
    "Exploit Public-Facing Application": (
        "exploitation of public-facing application",
        "exploitation of a public-facing application",
        "vulnerability in a public-facing application",
        "vulnerabilities in public-facing application",
    ),
    "Fast Flux DNS": ("fast flux",),
    "Kerberoasting": ("Kerberoast", "kerberoasted"),
    "Keylogging": ("keylogger", "keystroke logging"),
    "LSASS Memory": ("LSASS dump", "dump LSASS", "dumping LSASS", "dumped LSASS", "LSASS process memory"),
    "Indicator Removal": ("indicator removal on host",),
    "Inhibit System Recovery": tuple(
        f"{deed} {volume}shadow copies"
        for deed in ("delete", "deletes", "deleted", "deleting")
        for volume in ("", "volume ", "the volume ")
    ),
    "Malicious Copy and Paste": ("ClickFix",),
    "Mark-of-the-Web Bypass": ("MotW bypass",),
    "Match Legitimate Resource Name or Location": ("match legitimate name or location",),
    "Multi-Factor Authentication Interception": ("two-factor authentication interception",),
    "Multi-Factor Authentication Request Generation": ("MFA fatigue", "MFA bombing", "push bombing", "MFA push spam"),
    "OS Credential Dumping": ("credential dumping", "dumping credentials", "credential dumper"),
    "Password Spraying": ("password spray", "password-sprayed"),
    "Phishing": ("spear-phishing", "spearphishing"),
    "Process Hollowing": ("hollowed process", "process hollowed"),
    "Reflective Code Loading": ("reflective loading", "reflectively loaded", "reflective DLL injection"),
    "Registry Run Keys / Startup Folder": ("registry run key",),
    "Remote Desktop Protocol": ("RDP",),
    "Remote Access Tools": ("remote access software",),
    "Rename Legitimate Utilities": ("rename system utilities",),
    "SEO Poisoning": ("search engine poisoning",),
    "Spearphishing Attachment": ("spearphishing email with attachment",),
    "Spearphishing Voice": ("vishing",),
    "Supply Chain Compromise": ("supply chain attack", "software supply chain attack"),
    "System Binary Proxy Execution": ("signed binary proxy execution",),
    "System Script Proxy Execution": ("signed script proxy execution",),
    "Time Based Checks": ("time based evasion",),
    "Timestomp": ("timestomping", "timestomped"),
    "Web Shell": ("webshell",),
    "Windows Management Instrumentation": ("WMI command",),
    "Windows Management Instrumentation Event Subscription": ("WMI event subscription",),
}

# How a tactic is told of as something that is done.
TOLD_TACTICS: Final[dict[str, tuple[str, ...]]] = {
    "Lateral Movement": ("move laterally", "moves laterally", "moved laterally", "moving laterally"),
}

# The verbs that names of techniques begin with, and how reports write them: "clears", "cleared", "clearing".
DEEDS: Final[dict[str, tuple[str, ...]]] = {
    "abuse": ("abuses", "abused", "abusing"),
    "archive": ("archives", "archived", "archiving"),
    "clear": ("clears", "cleared", "clearing"),
    "compromise": ("compromises", "compromised", "compromising"),
    "disable": ("disables", "disabled", "disabling"),
    "exploit": ("exploits", "exploited", "exploiting"),
    "forge": ("forges", "forged", "forging"),
    "hijack": ("hijacks", "hijacked", "hijacking"),
    "impair": ("impairs", "impaired", "impairing"),
    "inhibit": ("inhibits", "inhibited", "inhibiting"),
    "masquerade": ("masquerades", "masqueraded", "masquerading"),
    "modify": ("modifies", "modified", "modifying"),
    "overwrite": ("overwrites", "overwrote", "overwriting"),
    "query": ("queries", "queried", "querying"),
    "spoof": ("spoofs", "spoofed", "spoofing"),
    "steal": ("steals", "stole", "stealing"),
    "subvert": ("subverts", "subverted", "subverting"),
    "weaken": ("weakens", "weakened", "weakening"),
}

# Who does it: with one of these in the sentence, a word of the trade is about an attack.
ATTACKERS: Final = _words("""
adversaries adversary attacker attackers hacker hackers intruder intruders operators mitre ttp ttps tactic tactics technique
techniques affiliate affiliates actor actors apt
""")

# What is attacked and with what: beside one of these, a phrase that has another meaning elsewhere has this one.
TECHNICAL: Final = _words("""
antimalware backdoor backdoors beacon breach breached c2 compromised controller credentials decrypt domain encrypted exploit
exploited exploits hash hashes implant implants infected intrusion kerberos keylogger log logs logon lsass malware password
passwords payload payloads persistence privileges ransomware registry rootkit server servers shellcode spyware stealer stole
stolen token
tokens trojan victim victims vpn wiper worm
""")

# Of these, what nobody has without an attack.
HOSTILE: Final = _words("""
backdoor backdoors beacon botnet c2 downloader dropper implant implants infected infostealer infostealers intrusion keylogger
loader malicious malware payload payloads persistence ransomware rat rootkit shellcode spyware stealer steals stole stolen
trojan trojans victim victims wiper worm
""")

# Who repairs or renews a system writes of its parts too, and of no attack.
UPKEEP: Final = _words("""
bug bugs build builds feature features fix fixed fixes migration preview reboot release releases restart restarts update updated
updates upgrade upgrades
""")

# What a flaw does for somebody who might attack: nobody has yet.
ALLOWING: Final = _words("allow allowed allowing allows enable enables enabling let lets letting")

# What a word of the trade comes as when somebody does it: "phishing emails", "a PowerShell loader".
CARRIERS: Final = _words("""
backdoor campaign command commands downloader dropper e email emails encoded kit kits loader lure lures mail mails message
messages obfuscated page pages payload stager
""")

# Who counts or stops attacks writes of all of them at once.
COUNTED: Final = _words("""
average avoid block blocked blocking blocks detect detects filter filters learn percent respondents spot stop stops survey teach
teaches tips
""")

# Who sells, teaches or rules: with one of these, it rather is not.
SELLERS: Final = _words("""
academy awareness brochure brochures buy certification class conference course courses discount edition free keynote
legislation newsletter platform price pricing product products protect protection protects quiz roundtable solution solutions
students subscribe training trial tutorial vendor webinar whitepaper workshop
""")

# What a name is when one of these stands beside it: "Maze ransomware", "the Dragonfly group".
SOFTWARE_WORDS: Final = _words("""
backdoor backdoors beacon beacons botnet downloader dropper framework implant implants infostealer keylogger loader malware
ransomware rat rootkit spyware stealer tool toolkit trojan trojans variant wiper worm payload payloads samples
""")
ACTOR_WORDS: Final = _words("apt actor actors affiliates cluster gang group hackers operators crew cyberspies")

# What is called so by chance: a place that is spoken of, or a person.
PLACES: Final = _words("""
borough capital city district hamlet hill hotel island lake mountain municipality parish province region river school street
suburb town university valley village
""")
TITLES: Final = _words("mr mrs ms miss dr prof professor judge mayor sheriff")
# Beside these it is no chance.
CYBER: Final = _words("""
activity attack attacks breaches campaign campaigns code cyber cyberattack cyberattacks cyberespionage espionage hacking hacked
indicators infrastructure infections overlap overlaps samples spying toolset threat ttp
""")

# Before an id that is none: "part number T1059".
NUMBERED: Final = _words("""
part parts model models number no nr sku item order room flight ticket invoice serial type bug case printer connector screw
screws bolt bolts
tablet batch train tram bus route locomotive gate terminal zone lot unit catalogue plate torx socket tool
""")
