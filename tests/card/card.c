/* A sound card in user space, as an ALSA plugin: a real clock, a room, an exact recording, and a plug to pull.
 *
 * Fields of its pcm: world (a folder, required), rate, channels, format ("s16" or "s32"), ear (the only
 * channel that hears; all do without). In the folder:
 *   epoch        int64, CLOCK_MONOTONIC in ns at sample 0 of the card's time line; required
 *   near.raw     s16le mono at the card's rate: what is said in the room, by position on the time line
 *   speaker.raw  s16le mono, same time line, sparse: exactly what left the loudspeaker (its first channel)
 *   ctl          "ok", "gone" (unplugged), "busy" (does not open) or "stall" (its clock stands still)
 *   echo         lines "delay_ms gain": how the loudspeaker is heard by the microphone; read at opening;
 *                each way longer than the loudspeaker's period, since only then it is known what sounded
 */
#define _GNU_SOURCE
#include <alsa/asoundlib.h>
#include <alsa/pcm_external.h>
#include <fcntl.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define NS 1000000000LL
#define MOST_TAPS 32
#define SLICE 1024 /* frames brought from the room at a time */

struct card {
	snd_pcm_ioplug_t io;
	int ticker, speaker, near;
	int wide; /* 32 bit samples */
	long ear; /* -1: all channels hear */
	unsigned rate;
	char world[512];
	struct { int64_t delay; float gain; } taps[MOST_TAPS];
	int ntaps;
	int64_t epoch_ns;
	int64_t started_ns;   /* of the running stream, moved on by the time it stalled */
	int64_t stalled_ns;   /* since when its clock stands still, or 0 */
	int64_t origin;       /* its first sample on the card's time line */
	int64_t moved;        /* frames that went through the converter since then */
	int running;
	int16_t *ring;        /* playback: what was written and did not sound yet */
};

static int64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * NS + t.tv_nsec;
}

static int open_in(const struct card *card, const char *name, int flags)
{
	char path[600];
	snprintf(path, sizeof path, "%s/%s", card->world, name);
	return open(path, flags | O_CLOEXEC, 0644);
}

/* First letter of ctl. */
static char plug(const struct card *card)
{
	char letter = 'o';
	int file = open_in(card, "ctl", O_RDONLY);
	if (file < 0)
		return letter;
	if (read(file, &letter, 1) != 1)
		letter = 'o';
	close(file);
	return letter;
}

static int gone(struct card *card)
{
	if (plug(card) != 'g')
		return 0;
	snd_pcm_ioplug_set_state(&card->io, SND_PCM_STATE_DISCONNECTED);
	return 1;
}

static int plays(const struct card *card)
{
	return card->io.stream == SND_PCM_STREAM_PLAYBACK;
}

static void sound(struct card *card, int64_t until)
{
	int64_t size = card->io.buffer_size;
	while (card->moved < until) {
		int64_t at = card->moved % size, n = size - at;
		if (n > until - card->moved)
			n = until - card->moved;
		if (pwrite(card->speaker, card->ring + at, n * 2, (card->origin + card->moved) * 2) < 0)
			return;
		card->moved += n;
	}
}

/* Let time pass up to now. Returns 0, or -EPIPE when the program was late. */
static int advance(struct card *card)
{
	if (!card->running)
		return 0;
	if (plug(card) == 's') {
		if (!card->stalled_ns)
			card->stalled_ns = now_ns();
		return 0;
	}
	if (card->stalled_ns) {
		card->started_ns += now_ns() - card->stalled_ns;
		card->stalled_ns = 0;
	}
	int64_t position = (now_ns() - card->started_ns) * card->rate / NS, written = card->io.appl_ptr;
	if (plays(card)) {
		sound(card, position < written ? position : written);
		return position > written && card->io.state == SND_PCM_STATE_RUNNING ? -EPIPE : 0;
	}
	if (position > card->moved)
		card->moved = position;
	return card->moved - written > (int64_t)card->io.buffer_size ? -EPIPE : 0;
}

static void tick_every(struct card *card, int64_t ns)
{
	struct itimerspec t = {{ns / NS, ns % NS}, {ns / NS, ns % NS}};
	timerfd_settime(card->ticker, 0, &t, NULL);
}

static snd_pcm_sframes_t on_pointer(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	if (gone(card))
		return -ENODEV;
	int error = advance(card);
	return error ? error : card->moved % (int64_t)io->buffer_size;
}

static void put(const struct card *card, char *frame, float value)
{
	int16_t s = value > 32767 ? 32767 : value < -32768 ? -32768 : (int16_t)value;
	for (unsigned c = 0; c < card->io.channels; c++) {
		int16_t heard = card->ear < 0 || c == card->ear ? s : 0;
		if (card->wide)
			((int32_t *)frame)[c] = (int32_t)heard * 65536;
		else
			((int16_t *)frame)[c] = heard;
	}
}

static void hear(struct card *card, char *frames, unsigned step, int64_t at, int64_t n)
{
	int16_t raw[SLICE];
	float sum[SLICE] = {0};
	for (int t = -1; t < card->ntaps; t++) {
		int64_t from = t < 0 ? at : at - card->taps[t].delay;
		if (from < 0)
			continue;
		memset(raw, 0, sizeof raw);
		if (pread(t < 0 ? card->near : card->speaker, raw, n * 2, from * 2) < 0)
			continue;
		for (int64_t i = 0; i < n; i++)
			sum[i] += (t < 0 ? 1 : card->taps[t].gain) * raw[i];
	}
	for (int64_t i = 0; i < n; i++)
		put(card, frames + i * step, sum[i]);
}

static snd_pcm_sframes_t on_transfer(snd_pcm_ioplug_t *io, const snd_pcm_channel_area_t *areas,
				     snd_pcm_uframes_t offset, snd_pcm_uframes_t size)
{
	struct card *card = io->private_data;
	if (gone(card))
		return -ENODEV;
	unsigned step = areas->step / 8;
	char *frames = (char *)areas->addr + areas->first / 8 + offset * step;
	int64_t at = io->appl_ptr, total = size;
	if (plays(card)) {
		for (int64_t i = 0; i < total; i++) {
			char *frame = frames + i * step;
			card->ring[(at + i) % io->buffer_size] =
				card->wide ? *(int32_t *)frame / 65536 : *(int16_t *)frame;
		}
		return total;
	}
	for (int64_t done = 0; done < total; done += SLICE) {
		int64_t n = total - done < SLICE ? total - done : SLICE;
		hear(card, frames + done * step, step, card->origin + at + done, n);
	}
	return total;
}

static int on_prepare(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	if (gone(card))
		return -ENODEV;
	card->running = 0;
	card->moved = 0;
	free(card->ring);
	card->ring = calloc(io->buffer_size, sizeof *card->ring);
	tick_every(card, NS / 1000);
	return card->ring ? 0 : -ENOMEM;
}

static int on_start(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	if (gone(card))
		return -ENODEV;
	card->started_ns = now_ns();
	card->origin = (card->started_ns - card->epoch_ns) * card->rate / NS;
	card->stalled_ns = 0;
	card->running = 1;
	/* Eight times a period: its end is noticed at most an eighth late. */
	tick_every(card, io->period_size * NS / 8 / card->rate);
	return 0;
}

static int on_stop(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	if (plug(card) != 'g')
		advance(card);
	card->running = 0;
	return 0;
}

static int on_poll(snd_pcm_ioplug_t *io, struct pollfd *fds, unsigned count, unsigned short *events)
{
	struct card *card = io->private_data;
	unsigned short ready = plays(card) ? POLLOUT : POLLIN;
	uint64_t ticks;
	*events = 0;
	if (!count || !(fds->revents & POLLIN) || read(card->ticker, &ticks, sizeof ticks) < 0)
		return 0;
	if (gone(card) || advance(card) || io->state == SND_PCM_STATE_XRUN) {
		*events = POLLERR | ready;
		return 0;
	}
	int64_t waiting = card->moved - (int64_t)io->appl_ptr; /* playback: minus what is still to sound */
	int64_t available = plays(card) ? (int64_t)io->buffer_size + waiting : waiting;
	if (available >= (int64_t)io->period_size || (plays(card) && !card->running))
		*events = ready;
	return 0;
}

static int on_close(snd_pcm_ioplug_t *io)
{
	struct card *card = io->private_data;
	close(card->ticker);
	close(card->speaker);
	close(card->near);
	free(card->ring);
	free(card);
	return 0;
}

static const snd_pcm_ioplug_callback_t callbacks = {
	.start = on_start, .stop = on_stop, .pointer = on_pointer, .transfer = on_transfer,
	.prepare = on_prepare, .poll_revents = on_poll, .close = on_close,
};

static int read_epoch(struct card *card)
{
	int file = open_in(card, "epoch", O_RDONLY);
	int ok = file >= 0 && read(file, &card->epoch_ns, 8) == 8;
	if (file >= 0)
		close(file);
	return ok ? 0 : -EIO;
}

static void read_echo(struct card *card)
{
	int file = open_in(card, "echo", O_RDONLY);
	FILE *lines = file < 0 ? NULL : fdopen(file, "r");
	float delay_ms, gain;
	if (!lines)
		return;
	while (card->ntaps < MOST_TAPS && fscanf(lines, "%f %f", &delay_ms, &gain) == 2) {
		card->taps[card->ntaps].delay = (int64_t)(delay_ms * card->rate / 1000);
		card->taps[card->ntaps++].gain = gain;
	}
	fclose(lines);
}

static int between(struct card *card, int what, unsigned least, unsigned most)
{
	return snd_pcm_ioplug_set_param_minmax(&card->io, what, least, most);
}

/* What the hardware takes, and nothing else. */
static int limit(struct card *card, unsigned channels)
{
	static const unsigned access[] = {SND_PCM_ACCESS_MMAP_INTERLEAVED, SND_PCM_ACCESS_RW_INTERLEAVED};
	const unsigned format[] = {card->wide ? SND_PCM_FORMAT_S32_LE : SND_PCM_FORMAT_S16_LE};
	unsigned frame = channels * (card->wide ? 4 : 2);
	int error = snd_pcm_ioplug_set_param_list(&card->io, SND_PCM_IOPLUG_HW_ACCESS, 2, access);
	error |= snd_pcm_ioplug_set_param_list(&card->io, SND_PCM_IOPLUG_HW_FORMAT, 1, format);
	error |= between(card, SND_PCM_IOPLUG_HW_CHANNELS, channels, channels);
	error |= between(card, SND_PCM_IOPLUG_HW_RATE, card->rate, card->rate);
	error |= between(card, SND_PCM_IOPLUG_HW_PERIOD_BYTES, 64 * frame, 16384 * frame);
	error |= between(card, SND_PCM_IOPLUG_HW_BUFFER_BYTES, 128 * frame, 65536 * frame);
	error |= between(card, SND_PCM_IOPLUG_HW_PERIODS, 2, 1024);
	return error ? -EINVAL : 0;
}

static int read_fields(struct card *card, snd_config_t *conf, long *channels)
{
	const char *world = NULL, *format = "s16";
	long rate = 48000;
	snd_config_t *field;
	if (!snd_config_search(conf, "world", &field))
		snd_config_get_string(field, &world);
	if (!snd_config_search(conf, "format", &field))
		snd_config_get_string(field, &format);
	if (!snd_config_search(conf, "rate", &field))
		snd_config_get_integer(field, &rate);
	if (!snd_config_search(conf, "channels", &field))
		snd_config_get_integer(field, channels);
	card->ear = -1;
	if (!snd_config_search(conf, "ear", &field))
		snd_config_get_integer(field, &card->ear);
	if (!world || strlen(world) >= sizeof card->world)
		return -EINVAL;
	strcpy(card->world, world);
	card->rate = rate;
	card->wide = !strcmp(format, "s32");
	return 0;
}

SND_PCM_PLUGIN_DEFINE_FUNC(card)
{
	(void)root;
	long channels = 2;
	struct card *card = calloc(1, sizeof *card);
	if (!card)
		return -ENOMEM;
	card->ticker = card->speaker = card->near = -1;
	int error = read_fields(card, conf, &channels);
	if (!error)
		error = plug(card) == 'g' ? -ENODEV : plug(card) == 'b' ? -EBUSY : read_epoch(card);
	if (error) {
		free(card);
		return error;
	}
	read_echo(card);
	card->speaker = open_in(card, "speaker.raw", O_CREAT | O_RDWR);
	card->near = open_in(card, "near.raw", O_CREAT | O_RDWR);
	card->ticker = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	card->io.version = SND_PCM_IOPLUG_VERSION;
	card->io.name = "a sound card in user space";
	card->io.callback = &callbacks;
	card->io.private_data = card;
	card->io.poll_fd = card->ticker;
	card->io.poll_events = POLLIN;
	card->io.flags = SND_PCM_IOPLUG_FLAG_MONOTONIC;
	error = snd_pcm_ioplug_create(&card->io, name, stream, mode);
	if (error < 0) {
		on_close(&card->io);
		return error;
	}
	error = limit(card, channels);
	if (error < 0) {
		snd_pcm_ioplug_delete(&card->io);
		return error;
	}
	*pcmp = card->io.pcm;
	return 0;
}
SND_PCM_PLUGIN_SYMBOL(card);
