/* A plugin for mosquitto that lets in who has signed its names, as the platform does: the password is the hexadecimal
 * HMAC-SHA256 of client id and user name by a secret that is derived from the user name. Everybody may do everything. */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <string.h>
#include <mosquitto.h>
#include <mosquitto_broker.h>
#include <mosquitto_plugin.h>

static mosquitto_plugin_id_t *plugin;
static const char root[] = "lampworks bench";

static void sign(const char *key, size_t key_length, const char *text, size_t length, char out[65])
{
	static const char digits[] = "0123456789abcdef";
	unsigned char sum[32];
	unsigned int n = sizeof sum;
	HMAC(EVP_sha256(), key, (int)key_length, (const unsigned char *)text, length, sum, &n);
	for (unsigned int i = 0; i < 32; i++) {
		out[2 * i] = digits[sum[i] >> 4];
		out[2 * i + 1] = digits[sum[i] & 15];
	}
	out[64] = 0;
}

static int authenticate(int event, void *data, void *user)
{
	struct mosquitto_evt_basic_auth *in = data;
	const char *id = mosquitto_client_id(in->client);
	char secret[65], want[65], text[1024];
	size_t a, b;
	(void)event;
	(void)user;
	if (!id || !in->username || !in->password)
		return MOSQ_ERR_AUTH;
	a = strlen(id);
	b = strlen(in->username);
	if (a + b > sizeof text || strlen(in->password) != 64)
		return MOSQ_ERR_AUTH;
	memcpy(text, id, a);
	memcpy(text + a, in->username, b);
	sign(root, sizeof root - 1, in->username, b, secret);
	sign(secret, 64, text, a + b, want);
	return CRYPTO_memcmp(want, in->password, 64) == 0 ? MOSQ_ERR_SUCCESS : MOSQ_ERR_AUTH;
}

static int permit(int event, void *data, void *user)
{
	(void)event;
	(void)data;
	(void)user;
	return MOSQ_ERR_SUCCESS;
}

int mosquitto_plugin_version(int n, const int *versions)
{
	for (int i = 0; i < n; i++)
		if (versions[i] == 5)
			return 5;
	return -1;
}

int mosquitto_plugin_init(mosquitto_plugin_id_t *id, void **user, struct mosquitto_opt *options, int n)
{
	(void)user;
	(void)options;
	(void)n;
	plugin = id;
	if (mosquitto_callback_register(id, MOSQ_EVT_BASIC_AUTH, authenticate, NULL, NULL) != MOSQ_ERR_SUCCESS)
		return MOSQ_ERR_UNKNOWN;
	return mosquitto_callback_register(id, MOSQ_EVT_ACL_CHECK, permit, NULL, NULL);
}

int mosquitto_plugin_cleanup(void *user, struct mosquitto_opt *options, int n)
{
	(void)user;
	(void)options;
	(void)n;
	mosquitto_callback_unregister(plugin, MOSQ_EVT_BASIC_AUTH, authenticate, NULL);
	return mosquitto_callback_unregister(plugin, MOSQ_EVT_ACL_CHECK, permit, NULL);
}
