using System.Net;
using System.Security.Cryptography.X509Certificates;

namespace EdgeDm.DevHub.Certificates;

/// <summary>The names by which clients know a TLS server: DNS names and IP addresses, without order and doubles.</summary>
public sealed class ServerNames
{
    private readonly SortedSet<string> names = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>Takes the names that can stand in a certificate: IP addresses and DNS names. Others are left out.</summary>
    public ServerNames(IEnumerable<string> names)
    {
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                this.names.Add(address.ToString());
            }
            else if (IsDnsName(name))
            {
                this.names.Add(name.ToLowerInvariant());
            }
        }
    }

    /// <summary>The names, in order.</summary>
    public IReadOnlyCollection<string> All => names;

    /// <summary>
    /// The names under which a module or a tool on this machine may look for the dev hub: <c>localhost</c>,
    /// <c>127.0.0.1</c>, <c>edgehub</c> (its alias on a container network), the machine's name, and those given.
    /// </summary>
    public static ServerNames ForDevHub(params IEnumerable<string> more) =>
        new(["localhost", "127.0.0.1", "edgehub", Environment.MachineName, .. more]);

    /// <summary>The subject alternative names of a certificate.</summary>
    public static ServerNames Of(X509Certificate2 certificate)
    {
        var extension = certificate.Extensions.OfType<X509SubjectAlternativeNameExtension>().SingleOrDefault();
        return new(
            extension is null
                ? []
                : [.. extension.EnumerateDnsNames(), .. extension.EnumerateIPAddresses().Select(a => a.ToString())]
        );
    }

    /// <summary>True when both hold the same names.</summary>
    public bool SetEquals(ServerNames other) => names.SetEquals(other.names);

    /// <summary>The names as the extension of a certificate.</summary>
    public X509Extension ToExtension()
    {
        var builder = new SubjectAlternativeNameBuilder();
        foreach (var name in names)
        {
            if (IPAddress.TryParse(name, out var address))
            {
                builder.AddIpAddress(address);
            }
            else
            {
                builder.AddDnsName(name);
            }
        }
        return builder.Build();
    }

    // Underscores are common in container names, so they pass, though RFC 1123 knows none.
    private static bool IsDnsName(string name) =>
        name.Length <= 253
        && name.Split('.').All(label => label.Length is > 0 and <= 63 && label[0] != '-' && label[^1] != '-')
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.');
}
