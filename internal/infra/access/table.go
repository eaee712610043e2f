package access

import "time"

// An Act is one thing somebody may be allowed to do. It is also the scope of a token.
type Act string

// Cuts says whether the act takes away what others may do, so that it must be possible on a full disk, too.
func (a Act) Cuts() bool { return a == Enforce || a == RevokeTriples }

// The acts of an organisation and its members.
const (
	ReadOrganisation  Act = "organisation.read"
	WriteOrganisation Act = "organisation.write" // its own names and settings
	LeaveOrganisation Act = "organisation.leave" // export everything and end it
	ReadMembers       Act = "member.read"
	ManageMembers     Act = "member.manage"
	ManageTokens      Act = "token.manage"
	ReadAudit         Act = "audit.read"
	ExportAudit       Act = "audit.export"
	ReadJob           Act = "job.read"
	ManageJob         Act = "job.manage"

	AcceptAgreement    Act = "agreement.accept" // in the name of an organisation
	ReadVerification   Act = "verification.read"
	SubmitVerification Act = "verification.submit"
	ReadEntitlement    Act = "entitlement.read"
	ApplyEntitlement   Act = "entitlement.apply"
	ReadQuota          Act = "quota.read"
	ReadEnforcement    Act = "enforcement.read"
	Appeal             Act = "enforcement.appeal"
)

// The acts upon products, triples and devices.
const (
	ReadProduct        Act = "product.read"
	WriteProduct       Act = "product.write"
	PublishModel       Act = "product.publish"
	MoveProduct        Act = "product.move" // along its life cycle
	ReadCertification  Act = "certification.read"
	ApplyCertification Act = "certification.apply"
	ReadOrder          Act = "order.read"
	IssueTriples       Act = "triple.issue" // apply for them
	DownloadTriples    Act = "triple.download"
	RevokeTriples      Act = "triple.revoke"
	TraceTriples       Act = "triple.trace" // report a leak, learn which download it came from
	ReadBurnLog        Act = "burn_log.read"
	WriteBurnLog       Act = "burn_log.write"
	ReadDevice         Act = "device.read"
	WriteDevice        Act = "device.write"   // enable, disable
	ControlDevice      Act = "device.control" // commands
	RunVirtualDevice   Act = "device.virtual" // virtual devices and their faults
	ReadHome           Act = "home.read"
	WriteHome          Act = "home.write"
	Speak              Act = "voice.speak"
	ReadVoice          Act = "voice.read"   // figures of sentences, and those that people gave away because nobody understood them
	DecideVoice        Act = "voice.decide" // what becomes of those
	ManageHome         Act = "home.manage"  // of residents: its members, handing it on, ending it
)

// The acts of the operator's people.
const (
	ManageOrganisations Act = "organisation.manage" // create, look at all
	ManageUsers         Act = "user.manage"         // disable, give platform roles
	ManageAgreements    Act = "agreement.manage"
	ManageNotices       Act = "notice.manage"
	ReviewVerification  Act = "verification.review"
	ManageServices      Act = "service.manage" // entry bars, plans, feature switches
	DecideEntitlement   Act = "entitlement.decide"
	ReviewProduct       Act = "product.review"
	RecordCertification Act = "certification.record" // pass, fail, expiry
	AppointLaboratory   Act = "laboratory.appoint"
	ReviewOrder         Act = "order.review"
	ManagePools         Act = "mac_pool.manage"
	ManageQuota         Act = "quota.manage"
	Enforce             Act = "enforcement.act"
	DecideAppeal        Act = "appeal.decide"
	OperatePlatform     Act = "platform.operate" // settings, health and figures of the whole platform
)

// Acts lists every act there is, in the order of the tables above.
func Acts() []Act {
	return []Act{
		ReadOrganisation, WriteOrganisation, LeaveOrganisation, ReadMembers, ManageMembers, ManageTokens,
		ReadAudit, ExportAudit, ReadJob, ManageJob,
		AcceptAgreement, ReadVerification, SubmitVerification, ReadEntitlement, ApplyEntitlement, ReadQuota,
		ReadEnforcement, Appeal,
		ReadProduct, WriteProduct, PublishModel, MoveProduct, ReadCertification, ApplyCertification, ReadOrder,
		IssueTriples, DownloadTriples, RevokeTriples, TraceTriples, ReadBurnLog, WriteBurnLog,
		ReadDevice, WriteDevice, ControlDevice, RunVirtualDevice, ReadHome, WriteHome, Speak, ReadVoice, DecideVoice, ManageHome,
		ManageOrganisations, ManageUsers, ManageAgreements, ManageNotices, ReviewVerification, ManageServices,
		DecideEntitlement, ReviewProduct, RecordCertification, AppointLaboratory, ReviewOrder, ManagePools,
		ManageQuota, Enforce, DecideAppeal, OperatePlatform,
	}
}

// Fresh is how long a proof by the second factor opens what shows secrets.
const Fresh = 15 * time.Minute

// ShowsSecrets says whether act gives secrets to a person: it needs the second factor, shown a short time ago.
func ShowsSecrets(act Act) bool { return act == DownloadTriples }

// A Role is what somebody is in an organisation, or on the platform.
type Role string

// The roles of a membership.
const (
	Owner    Role = "owner"    // answers for the organisation
	Engineer Role = "engineer" // makes products and tries them
	Factory  Role = "factory"  // orders triples and burns them
	Market   Role = "market"   // finance and market: plans, and what customers read
	Support  Role = "support"  // helps customers
	Query    Role = "query"    // looks, and changes nothing
)

// The roles of the operator's people.
const (
	Admin           Role = "admin"            // operates the platform
	Reviewer        Role = "reviewer"         // decides about papers, products and orders
	Certifier       Role = "certifier"        // records certifications
	Laboratory      Role = "laboratory"       // tests what it was appointed for, and sees nothing else
	PlatformSupport Role = "platform_support" // looks, to help
)

// The roles of a resident in a home.
const (
	Householder Role = "householder" // answers for the home (户主)
	Adult       Role = "adult"       // arranges it as well (成员)
	Child       Role = "child"       // speaks to it, but for what is dangerous (儿童)
	Guest       Role = "guest"       // uses it as it is (访客)
)

// HomeRoles lists the roles of a resident in a home.
func HomeRoles() []Role { return []Role{Householder, Adult, Child, Guest} }

// PlatformRoles lists the roles of the operator's people.
func PlatformRoles() []Role {
	return []Role{Admin, Reviewer, Certifier, Laboratory, PlatformSupport}
}

// MemberRoles lists the roles of a membership.
func MemberRoles() []Role { return []Role{Owner, Engineer, Factory, Market, Support, Query} }

// Roles lists every role there is but those in homes: see [HomeRoles].
func Roles() []Role { return append(PlatformRoles(), MemberRoles()...) }

// Allowed lists what a role may do. It is the one table; an unknown role may do nothing.
func Allowed(r Role) []Act {
	switch r {
	case Admin:
		return []Act{
			ReadOrganisation, WriteOrganisation, ReadMembers, ManageMembers, ManageTokens, ReadAudit, ExportAudit, ReadJob, ManageJob,
			ReadVerification, ReadEntitlement, ReadQuota, ReadEnforcement, ReadProduct, ReadCertification, ReadOrder, RevokeTriples,
			TraceTriples, ReadBurnLog, ReadDevice, WriteDevice, ReadVoice, DecideVoice,
			ManageOrganisations, ManageUsers, ManageAgreements, ManageNotices, ReviewVerification, ManageServices, DecideEntitlement,
			ReviewProduct, AppointLaboratory, ReviewOrder, ManagePools, ManageQuota, Enforce, DecideAppeal, OperatePlatform,
		}
	case Reviewer:
		return []Act{
			ReadOrganisation, ReadJob, ManageTokens, ReadVerification, ReadEntitlement, ReadQuota, ReadEnforcement, ReadProduct,
			ReadCertification, ReadOrder, ReviewVerification, DecideEntitlement, ReviewProduct, ReviewOrder,
		}
	case Certifier:
		return []Act{ReadOrganisation, ManageTokens, ReadProduct, ReadCertification, RecordCertification}
	case Laboratory:
		return []Act{ManageTokens, ReadCertification, RecordCertification}
	case PlatformSupport:
		return []Act{
			ReadOrganisation, ReadMembers, ManageTokens, ReadVerification, ReadEntitlement, ReadQuota, ReadEnforcement, ReadProduct,
			ReadCertification, ReadOrder, ReadDevice,
		}
	case Owner:
		return append([]Act{
			LeaveOrganisation, ManageMembers, WriteOrganisation, ReadAudit, ExportAudit, AcceptAgreement, SubmitVerification, ApplyEntitlement,
			Appeal, DownloadTriples, WriteBurnLog,
		}, engineering()...)
	case Engineer:
		return engineering()
	case Factory:
		return []Act{
			ReadOrganisation, ReadJob, ReadProduct, ReadOrder, IssueTriples, DownloadTriples, ReadBurnLog, WriteBurnLog, TraceTriples,
			ReadDevice, ReadQuota,
		}
	case Market:
		return []Act{
			ReadOrganisation, ReadProduct, ReadHome, ReadVerification, ReadEntitlement, ApplyEntitlement, ReadQuota, ReadEnforcement,
		}
	case Support:
		return []Act{ReadOrganisation, ReadProduct, ReadDevice, WriteDevice, ReadHome, ReadEnforcement, TraceTriples, ReadQuota}
	case Householder:
		return []Act{ReadHome, WriteHome, ControlDevice, Speak, ManageHome}
	case Adult:
		return []Act{ReadHome, WriteHome, ControlDevice, Speak}
	case Guest:
		return []Act{ReadHome, ControlDevice, Speak}
	case Child:
		return []Act{ReadHome, Speak}
	case Query:
		return []Act{ReadOrganisation, ReadJob, ReadProduct, ReadOrder, ReadDevice, ReadHome, ReadQuota}
	}
	return nil
}

// engineering is what an engineer may do, and the owner as well.
func engineering() []Act {
	return []Act{
		ReadOrganisation, ReadMembers, ManageTokens, ReadJob, ManageJob, ReadVerification, ReadEntitlement, ReadQuota, ReadEnforcement,
		ReadProduct, WriteProduct, PublishModel, MoveProduct, ReadCertification, ApplyCertification, ReadOrder, IssueTriples,
		RevokeTriples, TraceTriples, ReadBurnLog, ReadDevice, WriteDevice, ControlDevice, RunVirtualDevice, ReadHome, WriteHome, Speak, ReadVoice,
		DecideVoice,
	}
}
