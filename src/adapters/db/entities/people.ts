/** The tables of what people say. */

import { defineEntity, p } from '@mikro-orm/core';
import type { FeedbackSource } from '../../../domain/people/confidentiality.ts';
import type { FeedbackCategory, Tally } from '../../../domain/people/enps.ts';
import type { Invitation, Survey } from '../../../domain/people/survey.ts';
import { LongId, word } from './columns.ts';

/**
 * Answers that wait to be published. Nothing in a row may tell who answered or when: the id is drawn at random, and as an
 * integer key it is also the place where SQLite keeps the row.
 */
export const FeedbackRow = defineEntity({
  name: 'Feedback',
  tableName: 'feedback',
  properties: {
    id: p.type(LongId).primary().autoincrement(false),
    source: word<FeedbackSource>(),
    rating: p.integer(),
    category: word<FeedbackCategory>(),
    comment: p.text().nullable(),
    groups: p.json<string[]>(),
    /** Whose it is, in a pseudonym that nobody can make again once its process has ended; gone with the row. */
    voice: p.string().nullable(),
  },
  uniques: [{ name: 'feedback_voice', properties: ['voice'] }],
  indexes: [{ name: 'feedback_source', properties: ['source'] }],
});

/** What is kept of answers: counts of at least five. */
export const FeedbackCellRow = defineEntity({
  name: 'FeedbackCell',
  tableName: 'feedback_cell',
  properties: {
    id: p.integer().primary(),
    source: word<FeedbackSource>(),
    on: p.string().length(10).fieldName('given_out_on'),
    groups: p.json<string[]>(),
    tally: p.json<Tally>(),
    answers: p.integer(),
    commentsOut: p.boolean(),
  },
  indexes: [
    { name: 'feedback_cell_on', properties: ['on'] },
    { name: 'feedback_cell_withheld', properties: ['source', 'commentsOut'] },
  ],
});

/** Comments apart from their ratings; without a day while they are withheld. */
export const FeedbackCommentRow = defineEntity({
  name: 'FeedbackComment',
  tableName: 'feedback_comment',
  properties: {
    id: p.type(LongId).primary().autoincrement(false),
    source: word<FeedbackSource>(),
    category: word<FeedbackCategory>(),
    text: p.text(),
    on: p.string().length(10).fieldName('given_out_on').nullable(),
  },
  indexes: [{ name: 'feedback_comment_on', properties: ['on'] }],
});

export const SurveyRow = defineEntity({
  name: 'Survey',
  tableName: 'survey',
  properties: {
    id: p.integer().primary(),
    question: p.text(),
    status: word<Survey['status']>(),
    startedBy: p.string(),
    startedAt: p.datetime(3),
    endsAt: p.datetime(3),
    closedAt: p.datetime(3).nullable(),
    invited: p.integer(),
    answered: p.integer(),
  },
  uniques: [{ name: 'survey_one_open', properties: ['status'], where: "status = 'open'" }],
});

/** Who is asked. Answering leaves these rows untouched, so that not even their place on the disk tells in what order. */
export const SurveyInvitationRow = defineEntity({
  name: 'SurveyInvitation',
  tableName: 'survey_invitation',
  properties: {
    id: p.integer().primary(),
    surveyId: p.integer(),
    email: p.string(),
    state: word<Invitation['state']>(),
    timeZone: p.string().nullable(),
    askedAt: p.datetime(3).nullable(),
    remindedAt: p.datetime(3).nullable(),
    tokenDigest: p.string().nullable(),
    reminderDigest: p.string().nullable(),
  },
  indexes: [
    { name: 'survey_invitation_survey', properties: ['surveyId', 'state'] },
    { name: 'survey_invitation_email', properties: ['email'] },
    { name: 'survey_invitation_token', properties: ['tokenDigest'] },
    { name: 'survey_invitation_reminder', properties: ['reminderDigest'] },
  ],
});

/** The right to answer once; its row goes when it is used, and all go when the survey ends. */
export const SurveySeatRow = defineEntity({
  name: 'SurveySeat',
  tableName: 'survey_seat',
  properties: {
    invitationId: p.integer().primary(),
    surveyId: p.integer(),
  },
  indexes: [{ name: 'survey_seat_survey', properties: ['surveyId'] }],
});

/** When a person was asked last, and whether they want to be. */
export const SurveyPersonRow = defineEntity({
  name: 'SurveyPerson',
  tableName: 'survey_person',
  properties: {
    email: p.string().primary(),
    askedAt: p.datetime(3).nullable(),
    optedOutAt: p.datetime(3).nullable(),
  },
});

export const RunbookFeedbackRow = defineEntity({
  name: 'RunbookFeedback',
  tableName: 'runbook_feedback',
  properties: {
    id: p.integer().primary(),
    docId: p.string(),
    voter: p.string(),
    /** 0 for none: a unique index takes nulls for different. */
    alertId: p.integer(),
    helped: p.boolean(),
    votedAt: p.datetime(3),
  },
  uniques: [{ name: 'runbook_feedback_one_word', properties: ['docId', 'voter', 'alertId'] }],
});
