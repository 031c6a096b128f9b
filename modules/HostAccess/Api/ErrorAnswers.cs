using System.Collections.Frozen;
using EdgeDm.Contracts;
using Microsoft.AspNetCore.Http;

namespace EdgeDm.HostAccess.Api;

/// <summary>Which HTTP status an error of the registry is told with.</summary>
internal static class ErrorAnswers
{
    private static readonly FrozenDictionary<int, int> Statuses = new Dictionary<ErrorCode, int>
    {
        [ErrorRegistry.DeniedByPolicy] = StatusCodes.Status403Forbidden,
        [ErrorRegistry.VerbDisabled] = StatusCodes.Status403Forbidden,
        [ErrorRegistry.NetworkPresent] = StatusCodes.Status403Forbidden,
        [ErrorRegistry.CommandNotFound] = StatusCodes.Status404NotFound,
        [ErrorRegistry.NotSupportedOnHost] = StatusCodes.Status404NotFound,
        [ErrorRegistry.HostBusy] = StatusCodes.Status409Conflict,
        [ErrorRegistry.CommandConflict] = StatusCodes.Status409Conflict,
        [ErrorRegistry.EvidenceOfOtherInstance] = StatusCodes.Status409Conflict,
        [ErrorRegistry.RebootInhibited] = StatusCodes.Status409Conflict,
        [ErrorRegistry.ClockSynchronized] = StatusCodes.Status409Conflict,
        [ErrorRegistry.JobNotCancellable] = StatusCodes.Status409Conflict,
        [ErrorRegistry.RootListNotNewer] = StatusCodes.Status409Conflict,
        [ErrorRegistry.TooLarge] = StatusCodes.Status413PayloadTooLarge,
        [ErrorRegistry.RateExceeded] = StatusCodes.Status429TooManyRequests,
        [ErrorRegistry.RootListDamaged] = StatusCodes.Status500InternalServerError,
        [ErrorRegistry.Internal] = StatusCodes.Status500InternalServerError,
        [ErrorRegistry.NoSpace] = StatusCodes.Status500InternalServerError,
        [ErrorRegistry.HostServiceRefused] = StatusCodes.Status500InternalServerError,
        [ErrorRegistry.NoEffect] = StatusCodes.Status500InternalServerError,
        [ErrorRegistry.HostServiceUnavailable] = StatusCodes.Status503ServiceUnavailable,
    }.ToFrozenDictionary(row => row.Key.Code, row => row.Value);

    /// <summary>400 unless the error has a status of its own.</summary>
    public static int StatusOf(ErrorObject error) =>
        Statuses.GetValueOrDefault(error.Code, StatusCodes.Status400BadRequest);
}
