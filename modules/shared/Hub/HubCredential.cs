using System.Globalization;
using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using EdgeDm.Hub.Internal;

namespace EdgeDm.Hub;

/// <summary>Proves an identity to the hub. Makes a token for each connection and keeps none.</summary>
public abstract class HubCredential
{
    /// <summary>How long a token lives unless told otherwise.</summary>
    public static readonly TimeSpan DefaultTimeToLive = TimeSpan.FromHours(1);

    /// <summary>Signs tokens with a symmetric key.</summary>
    /// <param name="base64Key">The identity's key, or the policy's.</param>
    /// <param name="timeToLive">How long each token holds; null = <see cref="DefaultTimeToLive"/>.</param>
    /// <param name="policyName">The shared access policy whose key it is (<c>skn</c> in the token); null = the identity's own key.</param>
    /// <exception cref="FormatException">The key is not base64.</exception>
    public static HubCredential FromKey(string base64Key, TimeSpan? timeToLive = null, string? policyName = null) =>
        new SignerCredential(new KeySigner(DecodeKey(base64Key)), timeToLive ?? DefaultTimeToLive, policyName);

    /// <summary>A token made elsewhere, used until it expires.</summary>
    /// <exception cref="FormatException">It is no shared access signature.</exception>
    public static HubCredential FromToken(string sharedAccessSignature) => new TokenCredential(sharedAccessSignature);

    /// <summary>Has tokens signed by another party that holds the key, as the workload API does.</summary>
    public static HubCredential FromSigner(IHubSigner signer, TimeSpan? timeToLive = null) =>
        new SignerCredential(signer, timeToLive ?? DefaultTimeToLive, null);

    /// <summary>
    /// The client proves itself in TLS; there is no token. The certificate stays the caller's, who disposes it after the last
    /// session. On Windows its key must be one that the system's TLS can use: loaded from PFX, not ephemeral.
    /// </summary>
    /// <param name="certificate">With its private key.</param>
    /// <param name="chain">Intermediate certificates to send along; null = none.</param>
    /// <exception cref="ArgumentException">It has no private key.</exception>
    public static HubCredential FromCertificate(
        X509Certificate2 certificate,
        X509Certificate2Collection? chain = null
    ) => new CertificateCredential(certificate, chain);

    /// <summary>What to show in TLS; null = nothing.</summary>
    internal virtual SslStreamCertificateContext? ClientCertificate => null;

    /// <summary>Makes the password of one connection; null = none is needed.</summary>
    protected internal abstract ValueTask<HubPassword?> GetAsync(
        CredentialContext context,
        CancellationToken cancellationToken
    );

    private static byte[] DecodeKey(string base64Key)
    {
        var bytes = new byte[base64Key.Length];
        return Convert.TryFromBase64String(base64Key, bytes, out var count) && count > 0
            ? bytes[..count]
            : throw new FormatException("The shared access key is not base64.");
    }

    private sealed class SignerCredential(IHubSigner signer, TimeSpan timeToLive, string? policyName) : HubCredential
    {
        protected internal override async ValueTask<HubPassword?> GetAsync(
            CredentialContext context,
            CancellationToken cancellationToken
        )
        {
            var expires = DateTimeOffset.FromUnixTimeSeconds((context.Now + timeToLive).ToUnixTimeSeconds());
            var token = new SasToken(context.Audience, expires, policyName);
            var signature = await signer.SignAsync(token.ToSign(), cancellationToken);
            return new(token.Complete(signature), expires);
        }
    }

    private sealed class TokenCredential : HubCredential
    {
        private readonly string token;
        private readonly DateTimeOffset expires;

        public TokenCredential(string token)
        {
            this.token = token;
            expires = SasToken.ExpiryOf(token);
        }

        protected internal override ValueTask<HubPassword?> GetAsync(
            CredentialContext context,
            CancellationToken cancellationToken
        ) =>
            expires > context.Now
                ? ValueTask.FromResult<HubPassword?>(new(token, expires))
                : throw new CredentialException(
                    string.Create(CultureInfo.InvariantCulture, $"The token expired on {expires:O}.")
                );
    }

    private sealed class CertificateCredential : HubCredential
    {
        private readonly X509Certificate2 certificate;

        public CertificateCredential(X509Certificate2 certificate, X509Certificate2Collection? chain)
        {
            if (!certificate.HasPrivateKey)
            {
                throw new ArgumentException($"The certificate '{certificate.Subject}' has no private key.");
            }
            this.certificate = certificate;
            ClientCertificate = SslStreamCertificateContext.Create(certificate, chain, offline: true);
        }

        internal override SslStreamCertificateContext ClientCertificate { get; }

        protected internal override ValueTask<HubPassword?> GetAsync(
            CredentialContext context,
            CancellationToken cancellationToken
        )
        {
            var end = certificate.NotAfter.ToUniversalTime();
            return end > context.Now.UtcDateTime
                ? ValueTask.FromResult<HubPassword?>(null)
                : throw new CredentialException(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"The client certificate '{certificate.Subject}' expired on {end:O}."
                    )
                );
        }
    }

    private sealed class KeySigner(byte[] key) : IHubSigner
    {
        public ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
            ValueTask.FromResult(HMACSHA256.HashData(key, data.Span));
    }
}

/// <summary>Makes HMAC-SHA256 signatures with the identity's key.</summary>
public interface IHubSigner
{
    /// <summary>The signature's 32 bytes.</summary>
    ValueTask<byte[]> SignAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken);
}

/// <summary>What a credential is for.</summary>
/// <param name="HubHostName">The IoT hub.</param>
/// <param name="DeviceId">The device.</param>
/// <param name="ModuleId">The module; null for a device.</param>
/// <param name="Now">The current time.</param>
public sealed record CredentialContext(string HubHostName, string DeviceId, string? ModuleId, DateTimeOffset Now)
{
    /// <summary>The token's resource. Ids are encoded here and once more with the whole, as IoT Hub's .NET client does.</summary>
    public string Audience =>
        ModuleId is null
            ? $"{HubHostName}/devices/{Uri.EscapeDataString(DeviceId)}"
            : $"{HubHostName}/devices/{Uri.EscapeDataString(DeviceId)}/modules/{Uri.EscapeDataString(ModuleId)}";
}

/// <summary>A connection's password.</summary>
/// <param name="Value">The token.</param>
/// <param name="ExpiresOn">When the hub will no longer take it; null = never.</param>
public sealed record HubPassword(string Value, DateTimeOffset? ExpiresOn)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => $"password until {ExpiresOn:O}";

    /// <summary>Not an array: a missing one would become an empty password on its way into the packet.</summary>
    internal ReadOnlyMemory<byte> Utf8 => Encoding.UTF8.GetBytes(Value);
}
