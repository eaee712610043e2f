package access

// An Act is one thing somebody may be allowed to do. It is also the scope of a token.
type Act string

// The acts.
const (
	ReadOrganisation    Act = "organisation.read"
	WriteOrganisation   Act = "organisation.write"  // its own names and settings
	ManageOrganisations Act = "organisation.manage" // create, suspend: the operator's
	ReadMembers         Act = "member.read"
	ManageMembers       Act = "member.manage"
	ManageTokens        Act = "token.manage"
	ReadAudit           Act = "audit.read"
	ReadJob             Act = "job.read"
	ManageJob           Act = "job.manage"
	ReadProduct         Act = "product.read"
	WriteProduct        Act = "product.write"
	PublishModel        Act = "product.publish"
	ReadOrder           Act = "order.read"
	IssueTriples        Act = "triple.issue"
	DownloadTriples     Act = "triple.download"
	ReadDevice          Act = "device.read"
	WriteDevice         Act = "device.write"   // enable, disable
	ControlDevice       Act = "device.control" // commands
	RunVirtualDevice    Act = "device.virtual" // virtual devices and their faults
	ReadHome            Act = "home.read"
	WriteHome           Act = "home.write"
	Speak               Act = "voice.speak"
	OperatePlatform     Act = "platform.operate" // settings, health and figures of the whole platform
)

// Acts lists every act there is, in the order of the table above.
func Acts() []Act {
	return []Act{
		ReadOrganisation, WriteOrganisation, ManageOrganisations, ReadMembers, ManageMembers, ManageTokens,
		ReadAudit, ReadJob, ManageJob, ReadProduct, WriteProduct, PublishModel, ReadOrder, IssueTriples,
		DownloadTriples, ReadDevice, WriteDevice, ControlDevice, RunVirtualDevice, ReadHome, WriteHome, Speak,
		OperatePlatform,
	}
}

// A Role is what somebody is in an organisation, or on the platform.
type Role string

// The roles. Admin is the operator's; all others belong to a membership.
const (
	Admin    Role = "admin"    // operates the platform
	Owner    Role = "owner"    // answers for the organisation
	Engineer Role = "engineer" // makes products and tries them
	Factory  Role = "factory"  // orders triples and burns them
	Market   Role = "market"   // writes what customers read
	Support  Role = "support"  // helps customers
	Query    Role = "query"    // looks, and changes nothing
)

// Roles lists every role there is.
func Roles() []Role {
	return []Role{Admin, Owner, Engineer, Factory, Market, Support, Query}
}

// Allowed lists what a role may do. It is the one table; an unknown role may do nothing.
func Allowed(r Role) []Act {
	switch r {
	case Admin:
		return []Act{
			ReadOrganisation, WriteOrganisation, ManageOrganisations, ReadMembers, ManageMembers, ManageTokens,
			ReadAudit, ReadJob, ManageJob, ReadProduct, ReadOrder, ReadDevice, OperatePlatform,
		}
	case Owner:
		return []Act{
			ReadOrganisation, WriteOrganisation, ReadMembers, ManageMembers, ManageTokens,
			ReadAudit, ReadJob, ManageJob, ReadProduct, WriteProduct, PublishModel, ReadOrder, IssueTriples,
			DownloadTriples, ReadDevice, WriteDevice, ControlDevice, RunVirtualDevice, ReadHome, WriteHome, Speak,
		}
	case Engineer:
		return []Act{
			ReadOrganisation, ReadMembers, ManageTokens, ReadJob, ManageJob, ReadProduct, WriteProduct, PublishModel,
			ReadOrder, IssueTriples, ReadDevice, WriteDevice, ControlDevice, RunVirtualDevice, ReadHome, WriteHome, Speak,
		}
	case Factory:
		return []Act{ReadOrganisation, ReadJob, ReadProduct, ReadOrder, IssueTriples, DownloadTriples, ReadDevice}
	case Market:
		return []Act{ReadOrganisation, ReadProduct, ReadHome}
	case Support:
		return []Act{ReadOrganisation, ReadProduct, ReadDevice, WriteDevice, ReadHome}
	case Query:
		return []Act{ReadOrganisation, ReadJob, ReadProduct, ReadOrder, ReadDevice, ReadHome}
	}
	return nil
}
