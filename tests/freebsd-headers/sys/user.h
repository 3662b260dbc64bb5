struct kinfo_proc {
	int	ki_jid;
	pid_t	ki_pid;
	pid_t	ki_sid;
	char	ki_comm[20];
};
