using System.Globalization;
using EdgeDm.DevHub.Faults;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.DevHub.Service;

/// <summary><c>/devhub/faults</c>: what a developer has go wrong on purpose.</summary>
internal sealed class FaultRequests(HubParts parts)
{
    private readonly FaultReader reader = new(parts.Identities, parts.Options.Faults);

    /// <summary>Lists those that are on.</summary>
    public Task ListAsync(HttpContext context) =>
        Json.WriteAsync(context.Response, FaultDocuments.Of(parts.Faults.All));

    /// <summary>Turns one on, and tells it with its number and its end.</summary>
    public async Task AddAsync(HttpContext context)
    {
        var fault = parts.Faults.Add(reader.Read(await Json.ReadObjectAsync(context.Request)));
        context.Response.StatusCode = StatusCodes.Status201Created;
        await Json.WriteAsync(context.Response, FaultDocuments.Of(fault));
    }

    /// <summary>Ends one, or all, and tells which those were.</summary>
    /// <exception cref="HubException">There is none of this number.</exception>
    public Task EndAsync(HttpContext context)
    {
        const string Why = "it was ended";
        if (context.Request.RouteValues["id"] is not string text)
        {
            return Json.WriteAsync(context.Response, FaultDocuments.Of(parts.Faults.End(null, Why)));
        }
        var ended = int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? parts.Faults.End([id], Why)
            : [];
        return ended.IsEmpty
            ? throw new HubException(HubError.ArgumentInvalid, $"There is no fault {text}, or it is over.")
            : Json.WriteAsync(context.Response, FaultDocuments.Of(ended));
    }
}
