"""Every message of the protocol as an immutable record: requests, answers, and the rows inside them."""

from __future__ import annotations

from typing import TypeAlias

from ibkit.wire.messages.answers import (
    AccountSummary,
    AccountSummaryEnd,
    AccountUpdateMulti,
    AccountUpdateMultiEnd,
    AcctDownloadEnd,
    AcctUpdateTime,
    AcctValue,
    BondContractData,
    CommissionAndFeesReport,
    CompletedOrder,
    CompletedOrdersEnd,
    ConfigResponse,
    ContractData,
    ContractDataEnd,
    CurrentTime,
    CurrentTimeInMillis,
    DeltaNeutralValidation,
    DisplayGroupList,
    DisplayGroupUpdated,
    ErrMsg,
    ExecutionData,
    ExecutionDataEnd,
    FamilyCodes,
    FundamentalData,
    HeadTimestamp,
    HistogramData,
    HistoricalData,
    HistoricalDataEnd,
    HistoricalDataUpdate,
    HistoricalNews,
    HistoricalNewsEnd,
    HistoricalSchedule,
    HistoricalTicks,
    HistoricalTicksBidAsk,
    HistoricalTicksLast,
    ManagedAccts,
    MarketDataType,
    MarketDepth,
    MarketDepthL2,
    MarketRule,
    MktDepthExchanges,
    NewsArticle,
    NewsBulletins,
    NewsProviders,
    NextValidId,
    OpenOrder,
    OpenOrderEnd,
    OrderBound,
    OrderStatus,
    Pnl,
    PnlSingle,
    PortfolioValue,
    PositionData,
    PositionEnd,
    PositionMulti,
    PositionMultiEnd,
    RealTimeBars,
    ReceiveFa,
    ReplaceFaEnd,
    RerouteMktDataReq,
    RerouteMktDepthReq,
    ScannerData,
    ScannerParameters,
    SecurityDefinitionOptionParameter,
    SecurityDefinitionOptionParameterEnd,
    SmartComponents,
    SoftDollarTiers,
    SymbolSamples,
    TickByTick,
    TickEfp,
    TickGeneric,
    TickNews,
    TickOptionComputation,
    TickPrice,
    TickReqParams,
    TickSize,
    TickSnapshotEnd,
    TickString,
    UpdateConfigResponse,
    UserInfo,
    VerifyAndAuthCompleted,
    VerifyAndAuthMessageApi,
    VerifyCompleted,
    VerifyMessageApi,
    WshEventData,
    WshMetaData,
)
from ibkit.wire.messages.requests import (
    CancelAccountSummary,
    CancelAccountUpdatesMulti,
    CancelCalcImpliedVolat,
    CancelCalcOptionPrice,
    CancelContractData,
    CancelFundamentalData,
    CancelHeadTimestamp,
    CancelHistogramData,
    CancelHistoricalData,
    CancelHistoricalTicks,
    CancelMktData,
    CancelMktDepth,
    CancelNewsBulletins,
    CancelOrder,
    CancelPnl,
    CancelPnlSingle,
    CancelPositions,
    CancelPositionsMulti,
    CancelRealTimeBars,
    CancelScannerSubscription,
    CancelTickByTickData,
    CancelWshEventData,
    CancelWshMetaData,
    ExerciseOptions,
    PlaceOrder,
    QueryDisplayGroups,
    ReplaceFa,
    ReqAccountSummary,
    ReqAccountUpdatesMulti,
    ReqAcctData,
    ReqAllOpenOrders,
    ReqAutoOpenOrders,
    ReqCalcImpliedVolat,
    ReqCalcOptionPrice,
    ReqCompletedOrders,
    ReqConfig,
    ReqContractData,
    ReqCurrentTime,
    ReqCurrentTimeInMillis,
    ReqExecutions,
    ReqFa,
    ReqFamilyCodes,
    ReqFundamentalData,
    ReqGlobalCancel,
    ReqHeadTimestamp,
    ReqHistogramData,
    ReqHistoricalData,
    ReqHistoricalNews,
    ReqHistoricalTicks,
    ReqIds,
    ReqManagedAccts,
    ReqMarketDataType,
    ReqMarketRule,
    ReqMatchingSymbols,
    ReqMktData,
    ReqMktDepth,
    ReqMktDepthExchanges,
    ReqNewsArticle,
    ReqNewsBulletins,
    ReqNewsProviders,
    ReqOpenOrders,
    ReqPnl,
    ReqPnlSingle,
    ReqPositions,
    ReqPositionsMulti,
    ReqRealTimeBars,
    ReqScannerParameters,
    ReqScannerSubscription,
    ReqSecDefOptParams,
    ReqSmartComponents,
    ReqSoftDollarTiers,
    ReqTickByTickData,
    ReqUserInfo,
    ReqWshEventData,
    ReqWshMetaData,
    SetServerLoglevel,
    StartApi,
    SubscribeToGroupEvents,
    UnsubscribeFromGroupEvents,
    UpdateConfig,
    UpdateDisplayGroup,
    VerifyAndAuthMessage,
    VerifyAndAuthRequest,
    VerifyMessage,
    VerifyRequest,
)
from ibkit.wire.messages.rows import BarRow, ScannerRow, TickBidAskRow, TickLastRow, TickRow

Request: TypeAlias = (
    CancelAccountSummary
    | CancelAccountUpdatesMulti
    | CancelCalcImpliedVolat
    | CancelCalcOptionPrice
    | CancelContractData
    | CancelFundamentalData
    | CancelHeadTimestamp
    | CancelHistogramData
    | CancelHistoricalData
    | CancelHistoricalTicks
    | CancelMktData
    | CancelMktDepth
    | CancelNewsBulletins
    | CancelOrder
    | CancelPnl
    | CancelPnlSingle
    | CancelPositions
    | CancelPositionsMulti
    | CancelRealTimeBars
    | CancelScannerSubscription
    | CancelTickByTickData
    | CancelWshEventData
    | CancelWshMetaData
    | ExerciseOptions
    | PlaceOrder
    | QueryDisplayGroups
    | ReplaceFa
    | ReqAccountSummary
    | ReqAccountUpdatesMulti
    | ReqAcctData
    | ReqAllOpenOrders
    | ReqAutoOpenOrders
    | ReqCalcImpliedVolat
    | ReqCalcOptionPrice
    | ReqCompletedOrders
    | ReqConfig
    | ReqContractData
    | ReqCurrentTime
    | ReqCurrentTimeInMillis
    | ReqExecutions
    | ReqFa
    | ReqFamilyCodes
    | ReqFundamentalData
    | ReqGlobalCancel
    | ReqHeadTimestamp
    | ReqHistogramData
    | ReqHistoricalData
    | ReqHistoricalNews
    | ReqHistoricalTicks
    | ReqIds
    | ReqManagedAccts
    | ReqMarketDataType
    | ReqMarketRule
    | ReqMatchingSymbols
    | ReqMktData
    | ReqMktDepth
    | ReqMktDepthExchanges
    | ReqNewsArticle
    | ReqNewsBulletins
    | ReqNewsProviders
    | ReqOpenOrders
    | ReqPnl
    | ReqPnlSingle
    | ReqPositions
    | ReqPositionsMulti
    | ReqRealTimeBars
    | ReqScannerParameters
    | ReqScannerSubscription
    | ReqSecDefOptParams
    | ReqSmartComponents
    | ReqSoftDollarTiers
    | ReqTickByTickData
    | ReqUserInfo
    | ReqWshEventData
    | ReqWshMetaData
    | SetServerLoglevel
    | StartApi
    | SubscribeToGroupEvents
    | UnsubscribeFromGroupEvents
    | UpdateConfig
    | UpdateDisplayGroup
    | VerifyAndAuthMessage
    | VerifyAndAuthRequest
    | VerifyMessage
    | VerifyRequest
)
"""Anything a client sends."""

Answer: TypeAlias = (
    AccountSummary
    | AccountSummaryEnd
    | AccountUpdateMulti
    | AccountUpdateMultiEnd
    | AcctDownloadEnd
    | AcctUpdateTime
    | AcctValue
    | BondContractData
    | CommissionAndFeesReport
    | CompletedOrder
    | CompletedOrdersEnd
    | ConfigResponse
    | ContractData
    | ContractDataEnd
    | CurrentTime
    | CurrentTimeInMillis
    | DeltaNeutralValidation
    | DisplayGroupList
    | DisplayGroupUpdated
    | ErrMsg
    | ExecutionData
    | ExecutionDataEnd
    | FamilyCodes
    | FundamentalData
    | HeadTimestamp
    | HistogramData
    | HistoricalData
    | HistoricalDataEnd
    | HistoricalDataUpdate
    | HistoricalNews
    | HistoricalNewsEnd
    | HistoricalSchedule
    | HistoricalTicks
    | HistoricalTicksBidAsk
    | HistoricalTicksLast
    | ManagedAccts
    | MarketDataType
    | MarketDepth
    | MarketDepthL2
    | MarketRule
    | MktDepthExchanges
    | NewsArticle
    | NewsBulletins
    | NewsProviders
    | NextValidId
    | OpenOrder
    | OpenOrderEnd
    | OrderBound
    | OrderStatus
    | Pnl
    | PnlSingle
    | PortfolioValue
    | PositionData
    | PositionEnd
    | PositionMulti
    | PositionMultiEnd
    | RealTimeBars
    | ReceiveFa
    | ReplaceFaEnd
    | RerouteMktDataReq
    | RerouteMktDepthReq
    | ScannerData
    | ScannerParameters
    | SecurityDefinitionOptionParameter
    | SecurityDefinitionOptionParameterEnd
    | SmartComponents
    | SoftDollarTiers
    | SymbolSamples
    | TickByTick
    | TickEfp
    | TickGeneric
    | TickNews
    | TickOptionComputation
    | TickPrice
    | TickReqParams
    | TickSize
    | TickSnapshotEnd
    | TickString
    | UpdateConfigResponse
    | UserInfo
    | VerifyAndAuthCompleted
    | VerifyAndAuthMessageApi
    | VerifyCompleted
    | VerifyMessageApi
    | WshEventData
    | WshMetaData
)
"""Anything a gateway sends."""

Message: TypeAlias = Request | Answer

__all__ = [
    "AccountSummary",
    "AccountSummaryEnd",
    "AccountUpdateMulti",
    "AccountUpdateMultiEnd",
    "AcctDownloadEnd",
    "AcctUpdateTime",
    "AcctValue",
    "Answer",
    "BarRow",
    "BondContractData",
    "CancelAccountSummary",
    "CancelAccountUpdatesMulti",
    "CancelCalcImpliedVolat",
    "CancelCalcOptionPrice",
    "CancelContractData",
    "CancelFundamentalData",
    "CancelHeadTimestamp",
    "CancelHistogramData",
    "CancelHistoricalData",
    "CancelHistoricalTicks",
    "CancelMktData",
    "CancelMktDepth",
    "CancelNewsBulletins",
    "CancelOrder",
    "CancelPnl",
    "CancelPnlSingle",
    "CancelPositions",
    "CancelPositionsMulti",
    "CancelRealTimeBars",
    "CancelScannerSubscription",
    "CancelTickByTickData",
    "CancelWshEventData",
    "CancelWshMetaData",
    "CommissionAndFeesReport",
    "CompletedOrder",
    "CompletedOrdersEnd",
    "ConfigResponse",
    "ContractData",
    "ContractDataEnd",
    "CurrentTime",
    "CurrentTimeInMillis",
    "DeltaNeutralValidation",
    "DisplayGroupList",
    "DisplayGroupUpdated",
    "ErrMsg",
    "ExecutionData",
    "ExecutionDataEnd",
    "ExerciseOptions",
    "FamilyCodes",
    "FundamentalData",
    "HeadTimestamp",
    "HistogramData",
    "HistoricalData",
    "HistoricalDataEnd",
    "HistoricalDataUpdate",
    "HistoricalNews",
    "HistoricalNewsEnd",
    "HistoricalSchedule",
    "HistoricalTicks",
    "HistoricalTicksBidAsk",
    "HistoricalTicksLast",
    "ManagedAccts",
    "MarketDataType",
    "MarketDepth",
    "MarketDepthL2",
    "MarketRule",
    "Message",
    "MktDepthExchanges",
    "NewsArticle",
    "NewsBulletins",
    "NewsProviders",
    "NextValidId",
    "OpenOrder",
    "OpenOrderEnd",
    "OrderBound",
    "OrderStatus",
    "PlaceOrder",
    "Pnl",
    "PnlSingle",
    "PortfolioValue",
    "PositionData",
    "PositionEnd",
    "PositionMulti",
    "PositionMultiEnd",
    "QueryDisplayGroups",
    "RealTimeBars",
    "ReceiveFa",
    "ReplaceFa",
    "ReplaceFaEnd",
    "ReqAccountSummary",
    "ReqAccountUpdatesMulti",
    "ReqAcctData",
    "ReqAllOpenOrders",
    "ReqAutoOpenOrders",
    "ReqCalcImpliedVolat",
    "ReqCalcOptionPrice",
    "ReqCompletedOrders",
    "ReqConfig",
    "ReqContractData",
    "ReqCurrentTime",
    "ReqCurrentTimeInMillis",
    "ReqExecutions",
    "ReqFa",
    "ReqFamilyCodes",
    "ReqFundamentalData",
    "ReqGlobalCancel",
    "ReqHeadTimestamp",
    "ReqHistogramData",
    "ReqHistoricalData",
    "ReqHistoricalNews",
    "ReqHistoricalTicks",
    "ReqIds",
    "ReqManagedAccts",
    "ReqMarketDataType",
    "ReqMarketRule",
    "ReqMatchingSymbols",
    "ReqMktData",
    "ReqMktDepth",
    "ReqMktDepthExchanges",
    "ReqNewsArticle",
    "ReqNewsBulletins",
    "ReqNewsProviders",
    "ReqOpenOrders",
    "ReqPnl",
    "ReqPnlSingle",
    "ReqPositions",
    "ReqPositionsMulti",
    "ReqRealTimeBars",
    "ReqScannerParameters",
    "ReqScannerSubscription",
    "ReqSecDefOptParams",
    "ReqSmartComponents",
    "ReqSoftDollarTiers",
    "ReqTickByTickData",
    "ReqUserInfo",
    "ReqWshEventData",
    "ReqWshMetaData",
    "Request",
    "RerouteMktDataReq",
    "RerouteMktDepthReq",
    "ScannerData",
    "ScannerParameters",
    "ScannerRow",
    "SecurityDefinitionOptionParameter",
    "SecurityDefinitionOptionParameterEnd",
    "SetServerLoglevel",
    "SmartComponents",
    "SoftDollarTiers",
    "StartApi",
    "SubscribeToGroupEvents",
    "SymbolSamples",
    "TickBidAskRow",
    "TickByTick",
    "TickEfp",
    "TickGeneric",
    "TickLastRow",
    "TickNews",
    "TickOptionComputation",
    "TickPrice",
    "TickReqParams",
    "TickRow",
    "TickSize",
    "TickSnapshotEnd",
    "TickString",
    "UnsubscribeFromGroupEvents",
    "UpdateConfig",
    "UpdateConfigResponse",
    "UpdateDisplayGroup",
    "UserInfo",
    "VerifyAndAuthCompleted",
    "VerifyAndAuthMessage",
    "VerifyAndAuthMessageApi",
    "VerifyAndAuthRequest",
    "VerifyCompleted",
    "VerifyMessage",
    "VerifyMessageApi",
    "VerifyRequest",
    "WshEventData",
    "WshMetaData",
]
