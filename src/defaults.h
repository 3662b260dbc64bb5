/* Where things are, where no option says otherwise. */
#ifndef DEFAULTS_H
#define DEFAULTS_H

#define DEFAULTS_SOCKET	"/var/run/jaildaemon.pipe"
#define DEFAULTS_PIDFILE	"/var/run/jaildaemon.pid"
#ifdef __linux__
#define DEFAULTS_STATEDIR	"/var/lib/jaildaemon"
#define DEFAULTS_CONF		"/etc/jaildaemon.conf"
#else
#define DEFAULTS_CONF		"/usr/local/etc/jaildaemon.conf"
#define DEFAULTS_STATEDIR	"/var/db/jaildaemon"
#endif

#endif
