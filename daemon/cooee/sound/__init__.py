"""What microphone and loudspeaker share: the card, its samples, files in its place. PortAudio is known only here."""
