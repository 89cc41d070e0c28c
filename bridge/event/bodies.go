package event

// Kind is KindConversationStarted.
func (ConversationStarted) Kind() Kind { return KindConversationStarted }

// Kind is KindConversationEnded.
func (ConversationEnded) Kind() Kind { return KindConversationEnded }

// Kind is KindContextUpdated.
func (ContextUpdated) Kind() Kind { return KindContextUpdated }

// Kind is KindTranscriptShared.
func (TranscriptShared) Kind() Kind { return KindTranscriptShared }

// Kind is KindMessageCreated.
func (MessageCreated) Kind() Kind { return KindMessageCreated }

// Kind is KindMessagePartial.
func (MessagePartial) Kind() Kind { return KindMessagePartial }

// Kind is KindMessageDelivered.
func (MessageDelivered) Kind() Kind { return KindMessageDelivered }

// Kind is KindMessageRead.
func (MessageRead) Kind() Kind { return KindMessageRead }

// Kind is KindMessageFailed.
func (MessageFailed) Kind() Kind { return KindMessageFailed }

// Kind is KindMessageLeft.
func (MessageLeft) Kind() Kind { return KindMessageLeft }

// Kind is KindAnswerCompleted.
func (AnswerCompleted) Kind() Kind { return KindAnswerCompleted }

// Kind is KindTypingStarted.
func (TypingStarted) Kind() Kind { return KindTypingStarted }

// Kind is KindTypingStopped.
func (TypingStopped) Kind() Kind { return KindTypingStopped }

// Kind is KindParticipantJoined.
func (ParticipantJoined) Kind() Kind { return KindParticipantJoined }

// Kind is KindParticipantLeft.
func (ParticipantLeft) Kind() Kind { return KindParticipantLeft }

// Kind is KindAvailabilityChanged.
func (AvailabilityChanged) Kind() Kind { return KindAvailabilityChanged }

// Kind is KindHandoffRequested.
func (HandoffRequested) Kind() Kind { return KindHandoffRequested }

// Kind is KindHandoffQueued.
func (HandoffQueued) Kind() Kind { return KindHandoffQueued }

// Kind is KindHandoffOffered.
func (HandoffOffered) Kind() Kind { return KindHandoffOffered }

// Kind is KindHandoffAccepted.
func (HandoffAccepted) Kind() Kind { return KindHandoffAccepted }

// Kind is KindHandoffDeclined.
func (HandoffDeclined) Kind() Kind { return KindHandoffDeclined }

// Kind is KindHandoffCancelled.
func (HandoffCancelled) Kind() Kind { return KindHandoffCancelled }

// Kind is KindHandoffFailed.
func (HandoffFailed) Kind() Kind { return KindHandoffFailed }

// Kind is KindHandbackRequested.
func (HandbackRequested) Kind() Kind { return KindHandbackRequested }

// Kind is KindHandbackCompleted.
func (HandbackCompleted) Kind() Kind { return KindHandbackCompleted }

// Kind is KindHandbackFailed.
func (HandbackFailed) Kind() Kind { return KindHandbackFailed }

// Kind is KindTransferRequested.
func (TransferRequested) Kind() Kind { return KindTransferRequested }

// Kind is KindTransferCompleted.
func (TransferCompleted) Kind() Kind { return KindTransferCompleted }

// Kind is KindTransferFailed.
func (TransferFailed) Kind() Kind { return KindTransferFailed }

// Kind is KindCommandIssued.
func (CommandIssued) Kind() Kind { return KindCommandIssued }

// Kind is KindSurveyOffered.
func (SurveyOffered) Kind() Kind { return KindSurveyOffered }

// Kind is KindSurveyAnswered.
func (SurveyAnswered) Kind() Kind { return KindSurveyAnswered }

// Kind is KindWrapupCompleted.
func (WrapupCompleted) Kind() Kind { return KindWrapupCompleted }

// Kind is KindInsightObserved.
func (InsightObserved) Kind() Kind { return KindInsightObserved }

// Kind is KindInsightRequested.
func (InsightRequested) Kind() Kind { return KindInsightRequested }

// Kind is KindNoteCreated.
func (NoteCreated) Kind() Kind { return KindNoteCreated }

// Kind is KindErrorReported.
func (ErrorReported) Kind() Kind { return KindErrorReported }

// Kind is KindExtension.
func (Extension) Kind() Kind { return KindExtension }
