using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeDm.DevHub.Certificates;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Workload;

/// <summary>Answers one module's requests, as edgelet's workload API 2020-07-07 does.</summary>
internal sealed class WorkloadRequests
{
    private readonly string moduleId;
    private readonly IModuleKeys keys;
    private readonly DevCertificateAuthority authority;
    private readonly IModuleStates states;

    public WorkloadRequests(string moduleId, IModuleKeys keys, DevCertificateAuthority authority, IModuleStates states)
    {
        this.moduleId = moduleId;
        this.keys = keys;
        this.authority = authority;
        this.states = states;
    }

    public async Task AnswerAsync(HttpContext context)
    {
        try
        {
            await RouteAsync(context);
        }
        catch (WorkloadException error)
        {
            await WriteAsync(context, error.Status, new(error.Message), WorkloadJson.Default.WorkloadError);
        }
    }

    private Task RouteAsync(HttpContext context)
    {
        if (string.IsNullOrEmpty(context.Request.Query["api-version"]))
        {
            throw new WorkloadException(400, "The query parameter api-version is missing; use api-version=2020-07-07.");
        }
        var path = context.Request.Path.Value!.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return (context.Request.Method, path) switch
        {
            ("GET", ["trust-bundle"]) => TrustBundleAsync(context, authority.TrustBundlePem),
            ("GET", ["manifest-trust-bundle"]) => TrustBundleAsync(context, ""),
            ("GET", ["modules"]) => ModulesAsync(context),
            ("POST", ["modules", var name, "genid", _, "sign"]) => SignAsync(context, Own(name)),
            ("POST", ["modules", var name, "genid", _, "encrypt"]) => EncryptAsync(context, Own(name)),
            ("POST", ["modules", var name, "genid", _, "decrypt"]) => DecryptAsync(context, Own(name)),
            ("POST", ["modules", var name, "genid", _, "certificate", "server"]) => ServerCertificateAsync(
                context,
                name
            ),
            ("POST", ["modules", var name, "certificate", "identity"]) => IdentityCertificateAsync(context, name),
            ("POST", ["modules", var name, "genid", _, "certificate", "identity"]) => IdentityCertificateAsync(
                context,
                name
            ),
            _ => throw new WorkloadException(
                404,
                $"The workload API has no {context.Request.Method} {context.Request.Path}."
            ),
        };
    }

    // The generation id in the path is not compared: the real daemon does not either.
    private ModuleKey Own(string name)
    {
        if (name != moduleId)
        {
            throw new WorkloadException(403, $"This socket is {moduleId}'s; it does not act for {name}.");
        }
        return keys.Find(name) ?? throw new WorkloadException(404, $"The hub knows no module {name}.");
    }

    private static async Task SignAsync(HttpContext context, ModuleKey key)
    {
        var request = await ReadAsync(context, WorkloadJson.Default.SignRequest);
        var digest = HMACSHA256.HashData(key.Primary.Span, FromBase64(request.Data, "data"));
        await WriteAsync(context, 200, new(Convert.ToBase64String(digest)), WorkloadJson.Default.SignReply);
    }

    private static async Task EncryptAsync(HttpContext context, ModuleKey key)
    {
        var request = await ReadAsync(context, WorkloadJson.Default.EncryptRequest);
        var ciphertext = WorkloadCipher.Encrypt(
            key,
            FromBase64(request.Plaintext, "plaintext"),
            FromBase64(request.InitializationVector, "initializationVector")
        );
        await WriteAsync(context, 200, new(Convert.ToBase64String(ciphertext)), WorkloadJson.Default.EncryptReply);
    }

    private static async Task DecryptAsync(HttpContext context, ModuleKey key)
    {
        var request = await ReadAsync(context, WorkloadJson.Default.DecryptRequest);
        var plaintext = WorkloadCipher.Decrypt(
            key,
            FromBase64(request.Ciphertext, "ciphertext"),
            FromBase64(request.InitializationVector, "initializationVector")
        );
        await WriteAsync(context, 200, new(Convert.ToBase64String(plaintext)), WorkloadJson.Default.DecryptReply);
    }

    private async Task ServerCertificateAsync(HttpContext context, string name)
    {
        _ = Own(name);
        var request = await ReadAsync(context, WorkloadJson.Default.ServerCertificateRequest);
        var commonName = request.CommonName is { Length: > 0 } given ? given : throw Missing("commonName");
        await WriteCertificateAsync(
            context,
            () => authority.IssueServerCertificate(commonName, [moduleId], request.Expiration)
        );
    }

    private async Task IdentityCertificateAsync(HttpContext context, string name)
    {
        _ = Own(name);
        var request = await ReadAsync(context, WorkloadJson.Default.IdentityCertificateRequest);
        var identity = new Uri(
            $"azureiot://{keys.HubHostName}/devices/{Uri.EscapeDataString(keys.DeviceId)}/modules/{Uri.EscapeDataString(moduleId)}"
        );
        await WriteCertificateAsync(
            context,
            () => authority.IssueClientCertificate(moduleId, identity, request.Expiration)
        );
    }

    private static Task WriteCertificateAsync(HttpContext context, Func<IssuedCertificate> issue)
    {
        IssuedCertificate issued;
        try
        {
            issued = issue();
        }
        catch (ArgumentException error)
        {
            throw new WorkloadException(400, error.Message);
        }
        return WriteAsync(
            context,
            201,
            new(new("key", issued.PrivateKeyPem), issued.CertificatePem, issued.Expiration),
            WorkloadJson.Default.CertificateReply
        );
    }

    private static Task TrustBundleAsync(HttpContext context, string pem) =>
        WriteAsync(context, 200, new(pem), WorkloadJson.Default.TrustBundleReply);

    // Settings and environment of other modules may hold secrets: they are left empty.
    private Task ModulesAsync(HttpContext context) =>
        WriteAsync(
            context,
            200,
            new([
                .. states
                    .List()
                    .Select(state => new ModuleReply(
                        state.ModuleId,
                        state.ModuleId,
                        "docker",
                        new(ImmutableDictionary<string, string>.Empty, []),
                        new(new(state.RuntimeStatus))
                    )),
            ]),
            WorkloadJson.Default.ModulesReply
        );

    private static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            return await JsonSerializer.DeserializeAsync(context.Request.Body, type, context.RequestAborted)
                ?? throw new WorkloadException(400, "The body is null; send a JSON object.");
        }
        catch (JsonException error)
        {
            throw new WorkloadException(400, $"The body is not the JSON that this call takes: {error.Message}");
        }
        catch (BadHttpRequestException error)
        {
            throw new WorkloadException(error.StatusCode, error.Message);
        }
    }

    // Not chunked: SDKs read this with a parser of their own that knows only Content-Length.
    private static async Task WriteAsync<T>(HttpContext context, int status, T reply, JsonTypeInfo<T> type)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(reply, type);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    private static byte[] FromBase64(string? text, string name)
    {
        try
        {
            return Convert.FromBase64String(text ?? throw Missing(name));
        }
        catch (FormatException)
        {
            throw new WorkloadException(400, $"{name} is not base64.");
        }
    }

    private static WorkloadException Missing(string name) => new(400, $"{name} is missing.");
}
