"""Going back to a named version: the text of its sections, which of them there are, and their order.

Nothing is rewritten: what is restored is appended, words that come back keep who brought them in, and later comparison
goes on to work. `editing.restore` does a section; here is the whole document in one transaction.
"""

from __future__ import annotations

from sqlalchemy.orm import Session

from drafting.services import audit, editing, heads, milestones, sections
from drafting.services.access import Actor, require
from drafting.services.milestones import MilestoneView
from drafting.store.database import verb


@verb
def restore_milestone(session: Session, actor: Actor, milestone_id: int) -> MilestoneView:
    """The document as it was in a named version: texts, sections and order. Sections that came later are taken out.

    commits  yes, once
    needs    restore, and structure
    """
    view = milestones.milestone(session, actor, milestone_id)
    require(session, actor, "restore", view.document_id)
    require(session, actor, "structure", view.document_id)
    wanted = [each.section_id for each in view.sections]
    present = [each.id for each in sections.outline(session, actor, view.document_id)]
    heads.writing_all(session, {*wanted, *present})
    for each in view.sections:
        if each.section_id not in present:
            sections.restore_section(session, actor, each.section_id)
        editing.restore(session, actor, each.section_id, each.version)
    for section_id in present:
        if section_id not in wanted:
            sections.remove_section(session, actor, section_id)
    now_there = [each.id for each in sections.outline(session, actor, view.document_id)]
    if now_there != wanted:
        sections.reorder_sections(session, actor, view.document_id, wanted)
    audit.record(session, view.document_id, actor, "milestone_restored", {"milestone": view.id, "name": view.name})
    return view
