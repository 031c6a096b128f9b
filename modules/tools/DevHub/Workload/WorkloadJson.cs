using System.Text.Json.Serialization;

namespace EdgeDm.DevHub.Workload;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SignRequest))]
[JsonSerializable(typeof(SignReply))]
[JsonSerializable(typeof(EncryptRequest))]
[JsonSerializable(typeof(EncryptReply))]
[JsonSerializable(typeof(DecryptRequest))]
[JsonSerializable(typeof(DecryptReply))]
[JsonSerializable(typeof(ServerCertificateRequest))]
[JsonSerializable(typeof(IdentityCertificateRequest))]
[JsonSerializable(typeof(CertificateReply))]
[JsonSerializable(typeof(TrustBundleReply))]
[JsonSerializable(typeof(ModulesReply))]
[JsonSerializable(typeof(WorkloadError))]
internal sealed partial class WorkloadJson : JsonSerializerContext;

// keyId and algo of a sign request are not read, as by the real daemon: there is one key and one algorithm.
internal sealed record SignRequest(string? Data);

internal sealed record SignReply(string Digest);

internal sealed record EncryptRequest(string? Plaintext, string? InitializationVector);

internal sealed record EncryptReply(string Ciphertext);

internal sealed record DecryptRequest(string? Ciphertext, string? InitializationVector);

internal sealed record DecryptReply(string Plaintext);

internal sealed record ServerCertificateRequest(string? CommonName, DateTimeOffset? Expiration);

internal sealed record IdentityCertificateRequest(DateTimeOffset? Expiration);

internal sealed record CertificateReply(PrivateKeyReply PrivateKey, string Certificate, DateTimeOffset Expiration);

internal sealed record PrivateKeyReply(string Type, string Bytes);

internal sealed record TrustBundleReply(string Certificate);

internal sealed record ModulesReply(IReadOnlyList<ModuleReply> Modules);

internal sealed record ModuleReply(
    string Id,
    string Name,
    string Type,
    ModuleConfigReply Config,
    ModuleStatusReply Status
);

internal sealed record ModuleConfigReply(IReadOnlyDictionary<string, string> Settings, IReadOnlyList<string> Env);

internal sealed record ModuleStatusReply(ModuleRuntimeStatusReply RuntimeStatus);

internal sealed record ModuleRuntimeStatusReply(string Status);

internal sealed record WorkloadError(string Message);
