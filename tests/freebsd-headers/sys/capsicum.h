int	cap_enter(void);
