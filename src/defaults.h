/* Where things are, where no option says otherwise. */
#ifndef DEFAULTS_H
#define DEFAULTS_H

#define DEFAULTS_SOCKET	"/var/run/jaildaemon.pipe"
#define DEFAULTS_PIDFILE	"/var/run/jaildaemon.pid"

/* The Makefile's, where it was built by it. */
#ifndef SYSCONFDIR
#ifdef __linux__
#define SYSCONFDIR	"/etc"
#else
#define SYSCONFDIR	"/usr/local/etc"
#endif
#endif
#define DEFAULTS_CONF	SYSCONFDIR "/jaildaemon.conf"

#ifdef __linux__
#define DEFAULTS_STATEDIR	"/var/lib/jaildaemon"
#else
#define DEFAULTS_STATEDIR	"/var/db/jaildaemon"
#endif

#endif
